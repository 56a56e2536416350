#pragma once

#include "core/event_loops.hpp"
#include "http/types.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace maas::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name that resolves to one
  std::uint16_t port = 8000;       // 0: any free port
  std::size_t max_connections = 10'000;
  std::size_t max_head_bytes = 16 * 1024;
  std::size_t max_body_bytes = 4 * 1024 * 1024;
  std::chrono::milliseconds header_timeout{10'000};  // from a head's first byte to its last
  std::chrono::milliseconds body_timeout{30'000};    // for a whole body
  std::chrono::milliseconds idle_timeout{60'000};  // between requests, and for a reader that stalls
  std::chrono::milliseconds request_timeout{30'000};  // for the handler
  std::chrono::milliseconds stop_timeout{10'000};  // for requests in flight when the server stops
  std::vector<std::string> cors_origins;           // "*": any; empty: no CORS headers
};

// Told of every request that got an answer, on its event loop; must be quick and not throw.
using RequestObserver = std::function<void(const Request&, int status, std::chrono::nanoseconds)>;

// Serves HTTP/1.1 on all event loops, each with a listening socket of its own (SO_REUSEPORT).
// Protocol faults are answered here; everything else is the handler's. A handler that throws is
// answered with 500 and logged. `pool` compresses large replies.
class Server {
 public:
  // Borrows loops, pool and what handler and observer refer to; they outlive the server.
  // Throws Error{unavailable} when the address can't be bound.
  Server(ServerOptions options, EventLoops& loops, boost::asio::thread_pool& pool, Handler handler,
         RequestObserver observer);
  ~Server();

  // The port that is listened on.
  std::uint16_t port() const;

  // Begins to accept. The event loops may start before or after.
  void start();

  // Stops accepting, lets requests in flight finish within the stop time-out, cuts what is left.
  // Returns when no connection is open. Call it from outside the event loops, while they run.
  void stop();

 private:
  class Listener;

  ServerOptions options_;
  std::atomic<std::size_t> open_connections_ = 0;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace maas::http
