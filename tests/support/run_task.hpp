#pragma once

#include "core/event_loops.hpp"
#include "core/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

namespace maas::test {

// Runs a coroutine on an event loop that runs on a thread of its own, and waits for its result.
template <class T>
T run_on(boost::asio::io_context& loop, Task<T> task) {
  return boost::asio::co_spawn(loop, std::move(task), boost::asio::use_future).get();
}

// Event loops that run while this lives.
class RunningLoops {
 public:
  explicit RunningLoops(std::size_t count = 1) : loops(count) { loops.start(); }

  template <class T>
  T run(Task<T> task, std::size_t loop = 0) {
    return run_on(loops[loop], std::move(task));
  }

  EventLoops loops;
};

}  // namespace maas::test
