#include "http/places.hpp"

#include "core/error.hpp"
#include "core/timer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <list>
#include <mutex>

namespace maas::http {
namespace asio = boost::asio;

struct Places::State {
  // Someone in the queue, asleep on its own event loop until `timer` ends or is cancelled. Shared
  // with the wake-up that is on its way to it.
  struct Waiter {
    Waiter(const Executor& executor, std::chrono::steady_clock::time_point deadline)
        : timer(executor, deadline) {}

    Timer timer;
    bool granted = false;  // guarded by the mutex; it then owns a place and is not in the queue
  };
  using Queue = std::list<std::shared_ptr<Waiter>>;

  // A waiter's time in the queue. However its coroutine ends, it leaves, and a place that was
  // granted and not taken goes to the next.
  class Stay {
   public:
    Stay(std::shared_ptr<State> state, std::shared_ptr<Waiter> waiter, Queue::iterator entry)
        : state_(std::move(state)), waiter_(std::move(waiter)), entry_(entry) {}
    Stay(const Stay&) = delete;
    ~Stay() {
      if (end()) state_->release();
    }

    // True if a place was granted; it is the caller's. False from then on.
    bool end() {
      const std::lock_guard lock(state_->mutex);
      if (ended_) return false;
      ended_ = true;
      if (!waiter_->granted) state_->queue.erase(entry_);
      return waiter_->granted;
    }

    Timer& timer() { return waiter_->timer; }

   private:
    std::shared_ptr<State> state_;
    std::shared_ptr<Waiter> waiter_;
    Queue::iterator entry_;  // whoever grants the place takes it out
    bool ended_ = false;
  };

  State(std::size_t count, std::size_t limit) : free(count), max_waiting(limit) {}

  void release() {
    std::shared_ptr<Waiter> next;
    {
      const std::lock_guard lock(mutex);
      if (queue.empty() || closed) {
        ++free;
        return;
      }
      next = std::move(queue.front());
      queue.pop_front();
      next->granted = true;
    }
    const Executor executor = next->timer.get_executor();
    asio::post(executor, [next = std::move(next)] { next->timer.cancel(); });
  }

  std::mutex mutex;
  std::size_t free;
  const std::size_t max_waiting;
  Queue queue;
  bool closed = false;  // nobody is to be woken any more
};

Places::Place::Place(std::shared_ptr<State> state) : state_(std::move(state)) {}

Places::Place::~Place() {
  if (state_) state_->release();
}

Places::Places(std::size_t count, std::size_t max_waiting, std::string when_full)
    : state_(std::make_shared<State>(count, max_waiting)), when_full_(std::move(when_full)) {}

Places::~Places() {
  const std::lock_guard lock(state_->mutex);
  state_->closed = true;
}

std::size_t Places::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.size();
}

Task<std::optional<Places::Place>> Places::acquire(std::chrono::steady_clock::time_point deadline) {
  const Executor executor = co_await asio::this_coro::executor;
  const auto waiter = std::make_shared<State::Waiter>(executor, deadline);
  State::Queue::iterator entry;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->free > 0 && state_->queue.empty()) {
      --state_->free;
      co_return Place(state_);
    }
    if (state_->queue.size() >= state_->max_waiting) throw Error(Errc::unavailable, when_full_);
    entry = state_->queue.insert(state_->queue.end(), waiter);
  }
  State::Stay stay(state_, waiter, entry);
  const auto [error] = co_await stay.timer().async_wait(asio::as_tuple(use_task));
  // A place that came with the deadline or with a cancellation is taken; whoever awaits this gives
  // it back.
  if (stay.end()) co_return Place(state_);
  if (error) throw boost::system::system_error(error);
  co_return std::nullopt;
}

}  // namespace maas::http
