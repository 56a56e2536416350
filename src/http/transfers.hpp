#pragma once

#include "core/task.hpp"
#include "http/client_types.hpp"
#include "http/transfer_end.hpp"
#include "http/trusted_roots.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace maas::http {

// Exchanges with upstreams on one event loop, to be used on that loop alone. Connections are kept
// open between them, and shared where HTTP/2 is spoken. Redirects are not followed: they could
// carry a key elsewhere. Proxies are those that the environment names, by libcurl's rules.
// Destroyed when the loop no longer runs; coroutines that still wait must not run again then.
class Transfers {
 public:
  struct Options {
    std::chrono::milliseconds connect_timeout{10'000};
    std::size_t max_reply_bytes = 0;  // decoded
    std::size_t max_connections = 0;  // kept open
    TrustedRoots roots = {};
  };

  // Throws Error{internal} if this system's libcurl can't do what is needed.
  Transfers(boost::asio::io_context& loop, Options options);
  ~Transfers();

  // One exchange, asked once: nothing is repeated, but for a kept connection that turns out to be
  // closed. Cancelling ends it at once with operation_aborted. Throws Error{internal} for a header
  // that can't be sent.
  Task<Transfer> run(const ClientRequest& request, std::chrono::steady_clock::time_point deadline);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace maas::http
