#include "llm/embedding_batches.hpp"

#include "core/error.hpp"
#include "core/timer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <iterator>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace maas::llm {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// Texts that wait, of both kinds, past which calls are refused: some ten megabytes.
constexpr std::size_t kMostWaiting = 20'000;

// How long a request keeps its distance from the last one of its kind, by how many are on their
// way: in milliseconds, the last number for more. So a wave of searches shares some requests, and
// none waits for a whole one to come back. What is to be stored waits less: it comes with others of
// its call, and may be on its way between two calls of an LLM.
constexpr std::array<int, 5> kQueryDistances{0, 2, 6, 18, 20};
constexpr std::array<int, 2> kDocumentDistances{0, 2};

std::chrono::milliseconds distance(TextKind kind, std::size_t requests) {
  const std::span<const int> distances =
      kind == TextKind::query ? std::span<const int>(kQueryDistances) : kDocumentDistances;
  return std::chrono::milliseconds(distances[std::min(requests, distances.size() - 1)]);
}

// One call of embed(), until it has all its vectors. The requests that work for it fill it under
// the queue's lock; its own event loop reads it when it is finished.
struct Call {
  Call(std::span<const std::string> given, trace::Parent of, const Executor& executor)
      : texts(given.begin(), given.end()),
        parent(std::move(of)),
        vectors(given.size()),
        open(given.size()),
        timer(executor, Timer::time_point::max()) {}

  std::vector<std::string> texts;
  trace::Parent parent;
  std::vector<Vector> vectors;
  std::size_t open;  // texts without a vector
  std::exception_ptr failure;
  std::atomic<bool> left = false;  // nobody waits for it any more
  bool finished = false;           // of its own event loop
  Timer timer;                     // is cancelled when it is finished
};

// Somebody waits for a call: until its coroutine ends or is cancelled.
class Stay {
 public:
  explicit Stay(Call& call) : call_(call) {}
  ~Stay() { call_.left = true; }
  Stay(const Stay&) = delete;

 private:
  Call& call_;
};

struct Wanted {
  const std::string& text() const { return call->texts[index]; }

  std::shared_ptr<Call> call = {};
  std::size_t index = 0;  // of the text
};

// What one request is asked for: each text once, and who wants it.
struct Batch {
  TextKind kind = TextKind::query;
  std::vector<std::string> texts = {};
  std::vector<std::vector<Wanted>> wanted = {};

  void add(Wanted by) {
    texts.push_back(by.text());
    wanted.emplace_back().push_back(std::move(by));
  }
};

// A batch for each of the calls that a batch was joined of.
std::vector<Batch> parts_of(const Batch& batch) {
  std::vector<Batch> parts;
  for (const std::vector<Wanted>& of_text : batch.wanted) {
    for (const Wanted& wanted : of_text) {
      const auto is_its = [&wanted](const Batch& part) {
        return part.wanted[0][0].call == wanted.call;
      };
      auto part = std::ranges::find_if(parts, is_its);
      if (part == parts.end()) part = parts.insert(part, {.kind = batch.kind});
      part->add(wanted);
    }
  }
  return parts;
}

// What there is to ask of one kind.
struct Lane {
  std::deque<Wanted> waiting = {};
  std::deque<Batch> parts = {};  // of refused batches
  std::size_t requests = 0;      // on their way
  Clock::time_point last_request = {};
  bool sleeping = false;  // somebody will look again later
};

}  // namespace

class EmbeddingBatches::Queue {
 public:
  Queue(const EmbeddingLimits& limits, std::string when_full, Send send)
      : limits_(limits), when_full_(std::move(when_full)), send_(std::move(send)) {}

  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind,
                                  trace::Parent parent) {
    const auto executor = co_await asio::this_coro::executor;
    const auto call = std::make_shared<Call>(texts, std::move(parent), executor);
    const Stay stay(*call);
    {
      const std::lock_guard lock(mutex_);
      if (waiting() > kMostWaiting) {
        throw Error(Errc::unavailable, when_full_);
      }
      for (std::size_t i = 0; i < texts.size(); ++i) {
        lane(kind).waiting.push_back({call, i});
      }
    }
    start_requests(executor);
    while (!call->finished) {
      // Throws when this coroutine has been cancelled.
      co_await call->timer.async_wait(asio::as_tuple(use_task));
    }
    if (call->failure) std::rethrow_exception(call->failure);
    co_return std::move(call->vectors);
  }

 private:
  // Without the lock: a request begins at once, and may come to its end at once.
  void start_requests(const Executor& executor) {
    while (true) {
      std::optional<Clock::time_point> later;
      Batch batch = next_batch(later);
      if (later) {
        asio::co_spawn(executor, start_requests_at(*later, batch.kind), asio::detached);
      } else if (!batch.texts.empty()) {
        asio::co_spawn(executor, ask(std::move(batch)), asio::detached);
      } else {
        return;
      }
    }
  }

  Task<> start_requests_at(Clock::time_point time, TextKind kind) {
    const auto executor = co_await asio::this_coro::executor;
    co_await pause(time - Clock::now());
    {
      const std::lock_guard lock(mutex_);
      lane(kind).sleeping = false;
    }
    start_requests(executor);
  }

  // Nothing, if there is nothing to ask, or enough is being asked. If it is too early for a kind
  // and nobody knows it yet, `later` is when to look again. The kinds take turns.
  Batch next_batch(std::optional<Clock::time_point>& later) {
    const std::lock_guard lock(mutex_);
    for (std::size_t turn = 0; turn < lanes_.size() && requests() < limits_.requests; ++turn) {
      next_kind_ = 1 - next_kind_;
      const auto kind = static_cast<TextKind>(next_kind_);
      Batch batch = next_batch_of(kind, later);
      if (!batch.texts.empty() || later) return batch;
    }
    return {};
  }

  Batch next_batch_of(TextKind kind, std::optional<Clock::time_point>& later) {
    Lane& from = lane(kind);
    Batch batch{.kind = kind};
    const auto is_left = [](const Batch& part) { return part.wanted[0][0].call->left.load(); };
    while (!from.parts.empty() && is_left(from.parts.front())) from.parts.pop_front();
    if (!from.parts.empty()) {
      batch = std::move(from.parts.front());
      from.parts.pop_front();
    } else if (!from.waiting.empty()) {
      const auto earliest = from.last_request + distance(kind, from.requests);
      if (Clock::now() < earliest && from.waiting.size() < limits_.texts) {
        if (!std::exchange(from.sleeping, true)) later = earliest;
        return batch;
      }
      batch = joined(from.waiting, kind);
    }
    if (!batch.texts.empty()) {
      ++from.requests;
      from.last_request = Clock::now();
    }
    return batch;
  }

  // As many texts as a request may have. What nobody waits for any more is left out.
  Batch joined(std::deque<Wanted>& waiting, TextKind kind) const {
    Batch batch{.kind = kind};
    std::unordered_map<std::string_view, std::size_t> places;  // views of the calls' own texts
    std::size_t bytes = 0;
    while (!waiting.empty() && batch.texts.size() < limits_.texts) {
      Wanted& wanted = waiting.front();
      if (!wanted.call->left) {
        const std::string& text = wanted.text();
        const auto [place, is_new] = places.try_emplace(text, batch.texts.size());
        if (!is_new) {
          batch.wanted[place->second].push_back(std::move(wanted));
        } else if (batch.texts.empty() || bytes + text.size() <= limits_.bytes) {
          bytes += text.size();
          batch.add(std::move(wanted));
        } else {
          break;
        }
      }
      waiting.pop_front();
    }
    return batch;
  }

  Lane& lane(TextKind kind) { return lanes_[static_cast<std::size_t>(kind)]; }
  std::size_t waiting() const { return lanes_[0].waiting.size() + lanes_[1].waiting.size(); }
  std::size_t requests() const { return lanes_[0].requests + lanes_[1].requests; }

  Task<> ask(Batch batch) {
    std::vector<Vector> vectors;
    std::exception_ptr failure;
    std::vector<Batch> parts;
    try {
      trace::Parent parent = batch.wanted.front().front().call->parent;
      vectors = co_await send_(std::move(batch.texts), batch.kind, std::move(parent));
    } catch (const RefusedTexts&) {
      failure = std::current_exception();
      parts = parts_of(batch);
    } catch (...) {
      failure = std::current_exception();
    }
    const auto executor = co_await asio::this_coro::executor;
    if (parts.size() > 1) {
      ask_again(batch.kind, std::move(parts));
    } else {
      deliver(batch, vectors, failure);
    }
    start_requests(executor);
  }

  void ask_again(TextKind kind, std::vector<Batch> parts) {
    const std::lock_guard lock(mutex_);
    Lane& to = lane(kind);
    --to.requests;
    std::ranges::move(parts, std::back_inserter(to.parts));
  }

  void deliver(const Batch& batch, std::vector<Vector>& vectors,
               const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex_);
    --lane(batch.kind).requests;
    for (std::size_t i = 0; i < batch.wanted.size(); ++i) {
      for (const Wanted& wanted : batch.wanted[i]) {
        if (failure) {
          wanted.call->failure = failure;
        } else if (&wanted == &batch.wanted[i].back()) {
          wanted.call->vectors[wanted.index] = std::move(vectors[i]);
        } else {
          wanted.call->vectors[wanted.index] = vectors[i];
        }
        settle(wanted);
      }
    }
  }

  // Under the lock, when a text has its vector or has failed.
  static void settle(const Wanted& wanted) {
    Call& call = *wanted.call;
    if (--call.open > 0) return;
    asio::post(call.timer.get_executor(), [call = wanted.call] {
      call->finished = true;
      call->timer.cancel();
    });
  }

  const EmbeddingLimits limits_;
  const std::string when_full_;
  const Send send_;
  std::mutex mutex_;
  std::array<Lane, 2> lanes_;  // by kind
  std::size_t next_kind_ = 0;
};

EmbeddingBatches::EmbeddingBatches(const EmbeddingLimits& limits, std::string when_full, Send send)
    : queue_(std::make_unique<Queue>(limits, std::move(when_full), std::move(send))) {}
EmbeddingBatches::~EmbeddingBatches() = default;

Task<std::vector<Vector>> EmbeddingBatches::embed(std::span<const std::string> texts, TextKind kind,
                                                  trace::Parent parent) {
  if (texts.empty()) co_return std::vector<Vector>{};
  co_return co_await queue_->embed(texts, kind, std::move(parent));
}

}  // namespace maas::llm
