#pragma once

#include "http/poster.hpp"
#include "trace/otlp_options.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace maas::trace {

// How a collector's reply to a request that it took reads: of the items that it refused all the
// same, by the partial_success of OTLP's replies (of every signal). nullopt: it can't be read.
struct PartialSuccess {
  std::uint64_t rejected = 0;
  std::string message = {};
};
std::optional<PartialSuccess> read_partial_success(std::string_view body, bool is_json);

// Sends what is in OTLP's form already, of any signal, from one thread that may wait.
class OtlpSender {
 public:
  struct Options {
    http::Poster::Options to = {};  // its headers without those of the content
    bool is_json = false;
    bool gzip = false;
    std::chrono::milliseconds timeout{10'000};        // of one request
    std::chrono::milliseconds batch_timeout{30'000};  // with what is tried again
  };
  struct Sent {
    bool taken = false;
    std::uint64_t rejected = 0;  // items of what was taken
    std::string problem = {};    // empty: none
  };

  explicit OtlpSender(Options options);

  // Tries again what may pass by OTLP's rules: no connection or a lost one, 429, 502, 503 and 504,
  // after a pause that the collector asks for, else after a growing one that is drawn.
  Sent send(const std::string& body);

  // From now on nothing is tried again, and from `time` on nothing is sent. From any thread.
  void stop_at(std::chrono::steady_clock::time_point time);

 private:
  Sent result_of(const http::Transfer& transfer) const;
  // False: it is to stop.
  bool pause(std::chrono::milliseconds time);

  Options options_;
  http::Poster poster_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
};

// `batch_timeout` is the time for a batch with what is tried again.
OtlpSender::Options sender_options(const OtlpOptions& options,
                                   std::chrono::milliseconds batch_timeout);

}  // namespace maas::trace
