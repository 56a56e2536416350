#include "llm/embedding_batches.hpp"

#include "core/error.hpp"
#include "core/timer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
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

// How long a request keeps its distance from the last one while others are on their way: so a wave
// of calls shares two or three requests, and none of it waits for a whole one to come back.
std::chrono::milliseconds distance(std::size_t requests) {
  constexpr std::array<int, 4> kDistances{0, 2, 6, 18};
  return std::chrono::milliseconds(requests < kDistances.size() ? kDistances[requests] : 20);
}

// One call of embed(), until it has all its vectors. The requests that work for it fill it under
// the queue's lock; its own event loop reads it when it is finished.
struct Call {
  Call(std::span<const std::string> given, const Executor& executor)
      : texts(given.begin(), given.end()),
        vectors(given.size()),
        open(given.size()),
        timer(executor, Timer::time_point::max()) {}

  std::vector<std::string> texts;
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

  std::shared_ptr<Call> call;
  std::size_t index;  // of the text
};

// What one request is asked for: each text once, and who wants it.
struct Batch {
  TextKind kind = TextKind::query;
  std::vector<std::string> texts = {};
  std::vector<std::vector<Wanted>> wanted = {};
};

}  // namespace

class EmbeddingBatches::Queue {
 public:
  Queue(const EmbeddingLimits& limits, std::string when_full, Send send)
      : limits_(limits), when_full_(std::move(when_full)), send_(std::move(send)) {}

  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind) {
    const auto executor = co_await asio::this_coro::executor;
    const auto call = std::make_shared<Call>(texts, executor);
    const Stay stay(*call);
    {
      const std::lock_guard lock(mutex_);
      if (waiting() > kMostWaiting) {
        throw Error(Errc::unavailable, when_full_);
      }
      for (std::size_t i = 0; i < texts.size(); ++i) {
        waiting_[static_cast<std::size_t>(kind)].push_back({call, i});
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
      if (later) asio::co_spawn(executor, start_requests_at(*later), asio::detached);
      if (batch.texts.empty()) return;
      asio::co_spawn(executor, ask(std::move(batch)), asio::detached);
    }
  }

  Task<> start_requests_at(Clock::time_point time) {
    const auto executor = co_await asio::this_coro::executor;
    co_await pause(time - Clock::now());
    {
      const std::lock_guard lock(mutex_);
      sleeping_ = false;
    }
    start_requests(executor);
  }

  // Nothing, if there is nothing to ask, enough is being asked, or it is too early: then `later` is
  // when to look again, unless somebody does already. The kinds take turns. What nobody
  // waits for any more is left out.
  Batch next_batch(std::optional<Clock::time_point>& later) {
    Batch batch;
    const std::lock_guard lock(mutex_);
    if (requests_ == limits_.requests || waiting() == 0) return batch;
    const auto earliest = last_request_ + distance(requests_);
    if (Clock::now() < earliest && waiting() < limits_.texts) {
      if (!std::exchange(sleeping_, true)) later = earliest;
      return batch;
    }
    for (std::size_t turn = 0; turn < waiting_.size() && batch.texts.empty(); ++turn) {
      next_kind_ = 1 - next_kind_;
      batch.kind = static_cast<TextKind>(next_kind_);
      std::deque<Wanted>& waiting = waiting_[next_kind_];
      std::unordered_map<std::string_view, std::size_t> places;  // views of the calls' own texts
      std::size_t bytes = 0;
      while (!waiting.empty() && batch.texts.size() < limits_.texts) {
        if (waiting.front().call->left) {
          waiting.pop_front();
          continue;
        }
        const std::string& text = waiting.front().text();
        const auto [place, is_new] = places.try_emplace(text, batch.texts.size());
        if (is_new) {
          if (!batch.texts.empty() && bytes + text.size() > limits_.bytes) break;
          bytes += text.size();
          batch.texts.push_back(text);
          batch.wanted.emplace_back();
        }
        batch.wanted[place->second].push_back(std::move(waiting.front()));
        waiting.pop_front();
      }
    }
    if (!batch.texts.empty()) {
      ++requests_;
      last_request_ = Clock::now();
    }
    return batch;
  }

  std::size_t waiting() const { return waiting_[0].size() + waiting_[1].size(); }

  Task<> ask(Batch batch) {
    std::vector<Vector> vectors;
    std::exception_ptr failure;
    try {
      vectors = co_await send_(std::move(batch.texts), batch.kind);
    } catch (...) {
      failure = std::current_exception();
    }
    const auto executor = co_await asio::this_coro::executor;
    deliver(batch, vectors, failure);
    start_requests(executor);
  }

  void deliver(const Batch& batch, std::vector<Vector>& vectors,
               const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex_);
    --requests_;
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
  std::array<std::deque<Wanted>, 2> waiting_;  // by kind
  std::size_t next_kind_ = 0;
  std::size_t requests_ = 0;  // on their way
  Clock::time_point last_request_;
  bool sleeping_ = false;  // somebody will start requests later
};

EmbeddingBatches::EmbeddingBatches(const EmbeddingLimits& limits, std::string when_full, Send send)
    : queue_(std::make_unique<Queue>(limits, std::move(when_full), std::move(send))) {}
EmbeddingBatches::~EmbeddingBatches() = default;

Task<std::vector<Vector>> EmbeddingBatches::embed(std::span<const std::string> texts,
                                                  TextKind kind) {
  if (texts.empty()) co_return std::vector<Vector>{};
  co_return co_await queue_->embed(texts, kind);
}

}  // namespace maas::llm
