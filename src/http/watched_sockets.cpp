#include "http/watched_sockets.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <sys/socket.h>
#include <unistd.h>

namespace maas::http {

using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;

struct WatchedSockets::Watched {
  Watched(const Executor& executor, bool not_ours) : descriptor(executor), borrowed(not_ours) {}
  ~Watched() {
    if (borrowed && descriptor.is_open()) descriptor.release();
  }
  Watched(const Watched&) = delete;

  Descriptor descriptor;
  bool borrowed;
  bool known = true;  // false: closed or forgotten; its number may be another socket's by now
  bool wants_readable = false;
  bool wants_writable = false;
  bool waits_to_read = false;
  bool waits_to_write = false;
};

WatchedSockets::WatchedSockets(Executor executor, OnEvent on_event)
    : executor_(std::move(executor)), on_event_(std::move(on_event)) {}

WatchedSockets::~WatchedSockets() {
  for (const auto& [number, watched] : sockets_) watched->known = false;
}

int WatchedSockets::open(int family, int type, int protocol) {
  const int number = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (number < 0 || add(number, false)) return number;
  ::close(number);
  return -1;
}

int WatchedSockets::close(int socket) {
  const auto found = sockets_.find(socket);
  if (found == sockets_.end()) return ::close(socket);
  const Pointer watched = std::move(found->second);
  sockets_.erase(found);
  watched->known = false;
  boost::system::error_code error;
  watched->descriptor.close(error);
  return error ? -1 : 0;
}

bool WatchedSockets::want(int socket, bool readable, bool writable) {
  const auto found = sockets_.find(socket);
  const Pointer watched = found == sockets_.end() ? add(socket, true) : found->second;
  if (!watched) return false;
  watched->wants_readable = readable;
  watched->wants_writable = writable;
  wait(watched);
  return true;
}

void WatchedSockets::rest(int socket) {
  const auto found = sockets_.find(socket);
  if (found == sockets_.end()) return;
  const Pointer watched = found->second;
  watched->wants_readable = watched->wants_writable = false;
  if (!watched->borrowed) return;
  sockets_.erase(found);
  watched->known = false;
  watched->descriptor.release();
}

WatchedSockets::Pointer WatchedSockets::add(int socket, bool borrowed) {
  auto watched = std::make_shared<Watched>(executor_, borrowed);
  boost::system::error_code error;
  watched->descriptor.assign(socket, error);
  if (error) return nullptr;
  sockets_[socket] = watched;
  return watched;
}

void WatchedSockets::wait(const Pointer& watched) {
  if (watched->wants_readable && !watched->waits_to_read) {
    watched->waits_to_read = true;
    watched->descriptor.async_wait(Descriptor::wait_read,
                                   [this, watched](const boost::system::error_code&) {
                                     watched->waits_to_read = false;
                                     happened(watched, Event::readable);
                                   });
  }
  if (watched->wants_writable && !watched->waits_to_write) {
    watched->waits_to_write = true;
    watched->descriptor.async_wait(Descriptor::wait_write,
                                   [this, watched](const boost::system::error_code&) {
                                     watched->waits_to_write = false;
                                     happened(watched, Event::writable);
                                   });
  }
}

// What is not wanted any more is not reported; a wait that had begun for it ends here.
void WatchedSockets::happened(const Pointer& watched, Event event) {
  if (!watched->known) return;
  if (event == Event::readable ? watched->wants_readable : watched->wants_writable) {
    on_event_(watched->descriptor.native_handle(), event);
  }
  if (watched->known) wait(watched);
}

}  // namespace maas::http
