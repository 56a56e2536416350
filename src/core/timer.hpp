#pragma once

#include "core/task.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>

namespace maas {

using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

// Lets `time` pass on the caller's event loop. A deadline interrupts it with an exception.
inline Task<> pause(std::chrono::steady_clock::duration time) {
  Timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(use_task);
}

}  // namespace maas
