#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace maas::trace {

enum class Protocol { protobuf, json };

using KeyValues = std::vector<std::pair<std::string, std::string>>;

// How one signal reaches a collector by OTLP over HTTP.
struct OtlpOptions {
  bool otlp = true;        // it is wanted there
  std::string url = {};    // "http://localhost:4318/v1/traces"; empty: none
  KeyValues headers = {};  // may hold secrets
  Protocol protocol = Protocol::protobuf;
  bool gzip = false;
  std::chrono::milliseconds timeout{10'000};  // of one request
  std::string ca_file = {};                   // PEM
  std::string client_key_file = {};
  std::string client_certificate_file = {};

  bool is_sent() const { return otlp && !url.empty(); }
};

}  // namespace maas::trace
