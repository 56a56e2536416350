#include "core/event_loops.hpp"

#include <cassert>

namespace maas {

EventLoops::EventLoops(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    // 1: only one thread ever runs this context, which lets Asio leave out wake-ups.
    contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
    guards_.push_back(boost::asio::make_work_guard(*contexts_.back()));
  }
}

EventLoops::~EventLoops() { abort(); }

std::size_t EventLoops::index_of(const Executor& executor) const {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    if (&executor.context() == contexts_[i].get()) return i;
  }
  assert(false && "a coroutine of another event loop");
  return 0;
}

void EventLoops::start() {
  for (auto& context : contexts_) {
    threads_.emplace_back([&context] { context->run(); });
  }
}

void EventLoops::finish() {
  guards_.clear();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void EventLoops::abort() {
  for (auto& context : contexts_) context->stop();
  finish();
}

}  // namespace maas
