#pragma once

#include "http/transfer_end.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace maas::http {

// Posts to one URL from a thread that may wait, outside of the event loops. The connection is kept
// open. One thread posts; any may cancel.
class Poster {
 public:
  struct Options {
    std::string url = {};  // may hold secrets, and is never logged
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string ca_file = {};  // PEM; in place of the system's roots; empty: these
    std::string client_key_file = {};
    std::string client_certificate_file = {};
    std::size_t max_reply_bytes = 0;  // decoded
  };

  // Throws Error{internal} for a header that can't be sent, or if libcurl refuses an option.
  explicit Poster(const Options& options);
  ~Poster();

  // One exchange, asked once. Ends with TransferEnd::deadline at `deadline`, or when it is
  // cancelled.
  Transfer post(const std::string& body, std::chrono::steady_clock::time_point deadline);

  // Ends what is going on, and what begins later, at `time`.
  void cancel_at(std::chrono::steady_clock::time_point time);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace maas::http
