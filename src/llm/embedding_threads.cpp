#include "llm/embedding_threads.hpp"

#include "core/offload.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace maas::llm {
namespace {

constexpr std::size_t kQueriesInARow = 8;  // texts, while documents wait

// A call of embed(). `texts` live in its coroutine, which waits.
struct Call {
  explicit Call(std::span<const std::string> texts_to_embed)
      : texts(texts_to_embed), vectors(texts.size()), unfinished(texts.size()) {}
  virtual ~Call() = default;
  virtual void complete() = 0;

  std::span<const std::string> texts;
  std::vector<Vector> vectors;
  std::size_t next = 0;        // the text to take next
  std::size_t unfinished = 0;  // taken or not
  std::exception_ptr error;
};

template <class Complete>
struct CallWith final : Call {
  CallWith(std::span<const std::string> texts_to_embed, Complete then)
      : Call(texts_to_embed), resume(std::move(then)) {}

  void complete() override {
    Outcome<std::vector<Vector>> outcome;
    outcome.error = error;
    if (!error) outcome.value = std::move(vectors);
    resume(std::move(outcome));
  }

  Complete resume;
};

}  // namespace

class EmbeddingThreads::Queue {
 public:
  Queue(std::size_t count, Compute compute) : compute_(std::move(compute)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) {
      threads_.emplace_back([this] { run(); });
    }
  }

  ~Queue() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void push(std::shared_ptr<Call> call, TextKind kind) {
    const std::size_t texts = call->texts.size();
    {
      const std::lock_guard lock(mutex_);
      (kind == TextKind::query ? queries_ : documents_).push_back(std::move(call));
    }
    if (texts == 1) {
      wake_.notify_one();
    } else {
      wake_.notify_all();
    }
  }

 private:
  using Calls = std::deque<std::shared_ptr<Call>>;

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !queries_.empty() || !documents_.empty(); });
      if (stopping_) return;
      auto [call, index] = take();
      lock.unlock();
      const std::string& text = call->texts[index];
      const auto compute = [this, &text] { return compute_(text); };
      Outcome<Vector> outcome = Outcome<Vector>::of(compute);
      lock.lock();
      if (!finish(*call, index, std::move(outcome))) continue;
      lock.unlock();
      call->complete();
      call.reset();
      lock.lock();
    }
  }

  std::pair<std::shared_ptr<Call>, std::size_t> take() {
    const bool document =
        queries_.empty() || (!documents_.empty() && queries_in_a_row_ == kQueriesInARow);
    queries_in_a_row_ = document || documents_.empty() ? 0 : queries_in_a_row_ + 1;
    Calls& calls = document ? documents_ : queries_;
    std::shared_ptr<Call> call = std::move(calls.front());
    calls.pop_front();
    const std::size_t index = call->next++;
    if (call->next < call->texts.size()) calls.push_back(call);
    return {std::move(call), index};
  }

  // True if that was the last of the call's texts.
  bool finish(Call& call, std::size_t index, Outcome<Vector> outcome) {
    if (outcome.error) {
      call.error = outcome.error;
      skip_rest(call);
    } else {
      call.vectors[index] = std::move(*outcome.value);
    }
    return --call.unfinished == 0;
  }

  void skip_rest(Call& call) {
    call.unfinished -= call.texts.size() - call.next;
    call.next = call.texts.size();
    const auto is_it = [&call](const std::shared_ptr<Call>& other) { return other.get() == &call; };
    std::erase_if(queries_, is_it);
    std::erase_if(documents_, is_it);
  }

  const Compute compute_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Calls queries_;
  Calls documents_;
  std::size_t queries_in_a_row_ = 0;  // taken while documents waited
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

EmbeddingThreads::EmbeddingThreads(std::size_t count, Compute compute)
    : queue_(std::make_unique<Queue>(count, std::move(compute))) {}

EmbeddingThreads::~EmbeddingThreads() = default;

Task<std::vector<Vector>> EmbeddingThreads::embed(std::span<const std::string> texts,
                                                  TextKind kind) {
  if (texts.empty()) co_return std::vector<Vector>{};
  auto start = [this, texts, kind](auto complete) {
    queue_->push(std::make_shared<CallWith<decltype(complete)>>(texts, std::move(complete)), kind);
  };
  co_return co_await await_elsewhere<std::vector<Vector>>(std::move(start));
}

}  // namespace maas::llm
