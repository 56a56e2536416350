#pragma once

#include "core/task.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace maas::http {

// A limited number of places for calls, and a queue of limited length for those that wait for one,
// first come, first served. Thread-safe. May be destroyed before coroutines that hold a place or
// wait for one; those must not run again then.
class Places {
 private:
  struct State;

 public:
  // One place; destroying it hands it to whoever waits longest.
  class Place {
   public:
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend Places;
    explicit Place(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;  // null: moved from
  };

  // `when_full` is what a caller reads who finds no room in the queue.
  Places(std::size_t count, std::size_t max_waiting, std::string when_full);
  ~Places();

  // Resumes on the caller's event loop; nullopt at the deadline. Throws Error{unavailable} at once
  // when too many wait. Cancelling ends the wait with operation_aborted.
  Task<std::optional<Place>> acquire(std::chrono::steady_clock::time_point deadline);

  // How many wait at this moment.
  std::size_t waiting() const;

 private:
  std::shared_ptr<State> state_;
  std::string when_full_;
};

}  // namespace maas::http
