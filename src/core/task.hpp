#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace maas {

// Coroutines run on an event loop, one thread each. The concrete executor (not any_io_executor)
// keeps type erasure off the hot path.
using Executor = boost::asio::io_context::executor_type;

// A coroutine. An awaited one may take references; a spawned one takes values or borrows what
// Service owns.
template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

inline constexpr boost::asio::use_awaitable_t<Executor> use_task{};

}  // namespace maas
