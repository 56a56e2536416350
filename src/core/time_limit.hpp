#pragma once

#include "core/task.hpp"

#include <boost/asio/cancel_after.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace maas {

// Awaits `task` for at most `limit`, then cancels it and throws `late`. What the task has borrowed
// has to live as long as the awaiting coroutine. A deadline of the caller's own goes on as it is.
template <class T, class Late>
Task<T> within(std::chrono::steady_clock::duration limit, Task<T> task, Late late) {
  const auto executor = co_await boost::asio::this_coro::executor;
  std::optional<T> result;
  try {
    result.emplace(co_await boost::asio::co_spawn(executor, std::move(task),
                                                  boost::asio::cancel_after(limit, use_task)));
  } catch (const boost::system::system_error& error) {
    if (error.code() != boost::asio::error::operation_aborted) throw;
  }
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
    throw boost::system::system_error(boost::asio::error::operation_aborted);
  }
  if (!result) throw late;
  co_return std::move(*result);
}

}  // namespace maas
