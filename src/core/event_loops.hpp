#pragma once

#include "core/task.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace maas {

// The threads that serve: one io_context each, so that nothing inside a loop needs a lock.
class EventLoops {
 public:
  explicit EventLoops(std::size_t count);
  ~EventLoops();

  std::size_t size() const { return contexts_.size(); }
  boost::asio::io_context& operator[](std::size_t index) { return *contexts_[index]; }

  // Which loop an executor belongs to; for state that is kept once per loop.
  std::size_t index_of(const Executor& executor) const;

  void start();

  // Lets the loops end when they have nothing left to do, and waits for them.
  void finish();

  // Ends the loops wherever they are, and waits for them.
  void abort();

 private:
  using Guard = boost::asio::executor_work_guard<Executor>;

  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<Guard> guards_;
  std::vector<std::thread> threads_;
};

}  // namespace maas
