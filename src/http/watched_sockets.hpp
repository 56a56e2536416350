#pragma once

#include "core/task.hpp"

#include <functional>
#include <memory>
#include <unordered_map>

namespace maas::http {

// Sockets of a library that says itself what to wait for: they are registered with an event loop
// from their opening to their closing, so that to wait again costs little. For that loop alone.
class WatchedSockets {
 public:
  enum class Event { readable, writable };
  // Called from the event loop; may call everything here.
  using OnEvent = std::function<void(int socket, Event)>;

  WatchedSockets(Executor executor, OnEvent on_event);
  ~WatchedSockets();

  // As ::socket(); -1 if that fails.
  int open(int family, int type, int protocol);

  // Closes a socket, of whatever origin. As ::close().
  int close(int socket);

  // Has each of the two reported, again and again, as long as it is wanted. A socket that was not
  // opened here is borrowed. False if it can't be watched.
  bool want(int socket, bool readable, bool writable);

  // Wants nothing; a borrowed socket is forgotten.
  void rest(int socket);

 private:
  struct Watched;
  using Pointer = std::shared_ptr<Watched>;  // shared with waits that have not been called back

  Pointer add(int socket, bool borrowed);
  void wait(const Pointer& watched);
  void happened(const Pointer& watched, Event event);

  Executor executor_;
  OnEvent on_event_;
  std::unordered_map<int, Pointer> sockets_;
};

}  // namespace maas::http
