#pragma once

#include "core/task.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace maas {

// The result of a call made on another thread: a value, or the exception it threw.
template <class T>
struct Outcome {
  std::exception_ptr error;
  std::optional<T> value;

  template <class F>
  static Outcome of(F& fn) {
    Outcome outcome;
    try {
      outcome.value.emplace(fn());
    } catch (...) {
      outcome.error = std::current_exception();
    }
    return outcome;
  }

  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
};

// Awaits a callback: `start(complete)` is called on the event loop and hands `complete` to another
// thread, which calls it once with an Outcome<T>; the coroutine goes on in its own event loop.
// A deadline can't interrupt the wait: what runs elsewhere needs a time limit of its own.
template <class T, class Start>
Task<T> await_elsewhere(Start start) {
  auto initiate = [&start](auto handler) {
    auto executor = boost::asio::get_associated_executor(handler);
    auto work = boost::asio::make_work_guard(executor);
    start([handler = std::move(handler), executor,
           work = std::move(work)](Outcome<T> outcome) mutable {
      boost::asio::post(executor,
                        [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
                          std::move(handler)(std::move(outcome));
                        });
    });
  };
  Outcome<T> outcome =
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>&,
                                           void(Outcome<T>)>(initiate, use_task);
  co_return outcome.take();
}

// Runs `fn` on `pool` and resumes with its result, or its exception, on the caller's event loop.
// For what blocks, or computes for more than about a millisecond. `fn` may borrow from the awaiting
// coroutine and must return a value.
template <class F>
Task<std::invoke_result_t<F&>> offload(boost::asio::thread_pool& pool, F fn) {
  using T = std::invoke_result_t<F&>;
  auto start = [&pool, &fn](auto complete) {
    boost::asio::post(
        pool, [&fn, complete = std::move(complete)]() mutable { complete(Outcome<T>::of(fn)); });
  };
  co_return co_await await_elsewhere<T>(std::move(start));
}

}  // namespace maas
