#pragma once

#include "core/error.hpp"
#include "core/event_loops.hpp"
#include "core/task.hpp"
#include "http/client_types.hpp"
#include "http/places.hpp"
#include "http/transfers.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace maas::http {

struct ClientOptions {
  std::string upstream = "upstream";          // its name in messages: "openai"
  std::chrono::milliseconds timeout{60'000};  // of a call: waiting, every attempt, pauses between
  unsigned max_retries = 2;                   // attempts after the first
  std::size_t max_concurrency = 32;           // calls on the wire at once, all event loops together
  std::size_t max_waiting = 256;              // calls that wait for one of those to end
  std::size_t max_reply_bytes = 64 * 1024 * 1024;  // of a body, decoded
  std::string ca_file = {};  // PEM; trusted besides the system's roots (MAAS_CA_FILE); empty: none
  std::string timeout_setting = "LLM_TIMEOUT_MS";  // what to raise, in messages
  std::string concurrency_setting = "LLM_MAX_CONCURRENCY";
};

// Asks one upstream, from any event loop. What may pass is tried again with growing pauses: no
// connection, a lost one, 408, 409, 429 and 5xx; so requests have to be idempotent. Thread-safe.
// Destroyed when the loops no longer run; coroutines that still wait must not run again then.
class Client {
 public:
  // Borrows the loops, which outlive it. Throws Error{invalid_argument} when ca_file can't be read.
  Client(EventLoops& loops, ClientOptions options);
  ~Client();

  // The last attempt's reply, of whatever status. Runs on the caller's event loop; the request is
  // borrowed. Cancelling ends the call at once with operation_aborted. Throws Error
  //   unavailable        the upstream can't be reached, or too many calls wait for it;
  //   deadline_exceeded  the call took longer than its time-out;
  //   upstream_failed    the reply was cut, is no HTTP or is over the limit.
  // No message or detail holds a part of the URL but its host and port, of a header or of a body.
  Task<ClientReply> send(const ClientRequest& request);

  // Calls that wait for others to end.
  std::size_t waiting() const { return places_.waiting(); }
  // Attempts after the first, of all calls so far.
  std::uint64_t retries() const { return retries_; }
  const std::string& upstream() const { return options_.upstream; }

 private:
  Error timed_out() const;
  Error failure(const Transfer& transfer) const;

  EventLoops& loops_;
  ClientOptions options_;
  Places places_;
  std::atomic<std::uint64_t> retries_ = 0;
  std::vector<std::unique_ptr<Transfers>> transfers_;  // one per event loop
};

}  // namespace maas::http
