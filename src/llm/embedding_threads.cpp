#include "llm/embedding_threads.hpp"

#include "core/offload.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

namespace maas::llm {
namespace {

constexpr std::size_t kQueriesInARow = 8;  // texts, while documents wait
// Of the texts that a thread takes at once: past some 128 tokens in one run of a model nothing is
// gained, and who comes next would wait longer.
constexpr std::size_t kTextsAtOnce = 16;
constexpr std::size_t kBytesAtOnce = 512;

// A call of embed(). `texts` live in its coroutine, which waits.
struct Call {
  explicit Call(std::span<const std::string> texts_to_embed)
      : texts(texts_to_embed),
        order(texts.size()),
        vectors(texts.size()),
        unfinished(texts.size()) {
    // Those that are computed together are best as long as each other.
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [this](std::size_t text) { return texts[text].size(); });
  }
  virtual ~Call() = default;
  virtual void complete() = 0;

  std::span<const std::string> texts;
  std::vector<std::size_t> order;  // of the texts, the shortest first
  std::vector<Vector> vectors;
  std::size_t next = 0;        // what to take next, in `order`
  std::size_t unfinished = 0;  // taken or not
  std::exception_ptr error;
};

// A text of a call.
struct Item {
  std::shared_ptr<Call> call;
  std::size_t index = 0;

  const std::string& text() const { return call->texts[index]; }
};

// The calls of one kind that have texts to take.
class Lane {
 public:
  bool empty() const { return calls_.empty(); }
  std::size_t texts() const { return texts_; }

  void push(std::shared_ptr<Call> call) {
    texts_ += call->texts.size() - call->next;
    calls_.push_back(std::move(call));
  }

  const std::string& next_text() const {
    const Call& call = *calls_.front();
    return call.texts[call.order[call.next]];
  }

  Item take() {
    std::shared_ptr<Call> call = std::move(calls_.front());
    calls_.pop_front();
    --texts_;
    const std::size_t index = call->order[call->next++];
    if (call->next < call->texts.size()) calls_.push_back(call);
    return {std::move(call), index};
  }

  // Takes the rest of the call, if it is here, away.
  void drop(const Call& call) {
    const auto is_it = [&call](const std::shared_ptr<Call>& other) { return other.get() == &call; };
    if (std::erase_if(calls_, is_it) > 0) texts_ -= call.texts.size() - call.next;
  }

 private:
  std::deque<std::shared_ptr<Call>> calls_;
  std::size_t texts_ = 0;
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
  Queue(std::size_t count, Compute compute, SharesRuns shares_runs)
      : compute_(std::move(compute)), shares_runs_(std::move(shares_runs)) {
    const std::lock_guard lock(mutex_);  // the threads read how many they are
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
      (kind == TextKind::query ? queries_ : documents_).push(std::move(call));
    }
    if (texts == 1) {
      wake_.notify_one();
    } else {
      wake_.notify_all();
    }
  }

 private:
  void run() {
    const std::size_t at_once = shares_runs_() ? kTextsAtOnce : 1;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !queries_.empty() || !documents_.empty(); });
      if (stopping_) return;
      std::vector<Item> batch = take(at_once);
      lock.unlock();
      std::vector<Outcome<Vector>> outcomes = compute(batch);
      lock.lock();
      std::vector<std::shared_ptr<Call>> complete = finish(batch, outcomes);
      lock.unlock();
      batch.clear();
      for (const auto& call : complete) call->complete();
      complete.clear();
      lock.lock();
    }
  }

  // One text, and as many more of its kind as there are for each thread.
  std::vector<Item> take(std::size_t at_once) {
    const bool document =
        queries_.empty() || (!documents_.empty() && queries_in_a_row_ == kQueriesInARow);
    Lane& lane = document ? documents_ : queries_;
    std::size_t most = std::min(at_once, lane.texts() / threads_.size());
    if (document && !queries_.empty()) most = 1;
    if (!document && !documents_.empty()) most = std::min(most, kQueriesInARow - queries_in_a_row_);
    std::vector<Item> batch{lane.take()};
    std::size_t bytes = batch.front().text().size();
    while (batch.size() < most && bytes + lane.next_text().size() <= kBytesAtOnce) {
      batch.push_back(lane.take());
      bytes += batch.back().text().size();
    }
    queries_in_a_row_ = document || documents_.empty() ? 0 : queries_in_a_row_ + batch.size();
    return batch;
  }

  // If the texts fail together, each by itself, for a call is not to fail with another's text.
  std::vector<Outcome<Vector>> compute(std::span<const Item> batch) const {
    const auto together = [this, batch] {
      std::vector<const std::string*> texts;
      for (const Item& item : batch) texts.push_back(&item.text());
      return compute_(texts);
    };
    auto outcome = Outcome<std::vector<Vector>>::of(together);
    std::vector<Outcome<Vector>> outcomes;
    if (outcome.error && batch.size() > 1) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        outcomes.push_back(std::move(compute(batch.subspan(i, 1)).front()));
      }
    } else if (outcome.error) {
      outcomes.push_back({outcome.error, std::nullopt});
    } else {
      for (Vector& vector : *outcome.value) outcomes.push_back({nullptr, std::move(vector)});
    }
    return outcomes;
  }

  // The calls of which nothing is left to do.
  std::vector<std::shared_ptr<Call>> finish(std::span<const Item> batch,
                                            std::span<Outcome<Vector>> outcomes) {
    std::vector<std::shared_ptr<Call>> complete;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Call& call = *batch[i].call;
      if (outcomes[i].error) {
        fail(call, outcomes[i].error);
      } else {
        call.vectors[batch[i].index] = std::move(*outcomes[i].value);
      }
      if (--call.unfinished == 0) complete.push_back(batch[i].call);
    }
    return complete;
  }

  // None of the call's other texts needs to be computed.
  void fail(Call& call, const std::exception_ptr& error) {
    call.error = error;
    queries_.drop(call);
    documents_.drop(call);
    call.unfinished -= call.texts.size() - call.next;
    call.next = call.texts.size();
  }

  const Compute compute_;
  const SharesRuns shares_runs_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Lane queries_;
  Lane documents_;
  std::size_t queries_in_a_row_ = 0;  // taken while documents waited
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

EmbeddingThreads::EmbeddingThreads(std::size_t count, Compute compute, SharesRuns shares_runs)
    : queue_(std::make_unique<Queue>(count, std::move(compute), std::move(shares_runs))) {}

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
