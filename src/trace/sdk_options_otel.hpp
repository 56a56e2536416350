#pragma once

#include "trace/resource.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <opentelemetry/exporters/otlp/otlp_http.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/resource/resource_detector.h>
#include <string>
#include <string_view>

// What the SDK's exporters of all signals are given. It would read the environment; what counts is
// the configuration.
namespace maas::trace {

// A whole number where the conventions have one, though it is written as text here.
inline std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class ProcessDetector final : public opentelemetry::sdk::resource::ResourceDetector {
 public:
  explicit ProcessDetector(const KeyValues& told) : told_(told) {}

  opentelemetry::sdk::resource::Resource Detect() override {
    opentelemetry::sdk::resource::ResourceAttributes attributes;
    for (const auto& [name, value] : process_resource(told_)) {
      if (name == "process.pid") {
        attributes[name] = number_in(value);
      } else {
        attributes[name] = value;
      }
    }
    return opentelemetry::sdk::resource::Resource::GetDefault().Merge(Create(attributes));
  }

 private:
  const KeyValues& told_;
};

// `Target` is the options of one signal's exporter.
template <class Target>
Target make_target(const OtlpOptions& options, std::chrono::milliseconds timeout) {
  using namespace opentelemetry::exporter::otlp;
  Target to;
  to.url = options.url;
  to.content_type = options.protocol == Protocol::json ? HttpRequestContentType::kJson
                                                       : HttpRequestContentType::kBinary;
  to.json_bytes_mapping = JsonBytesMappingKind::kHexId;
  to.use_json_name = true;
  to.console_debug = false;
  to.timeout = std::min(options.timeout, timeout);
  to.http_headers.clear();
  for (const auto& [name, value] : options.headers) to.http_headers.emplace(name, value);
  to.ssl_ca_cert_path = options.ca_file;
  to.ssl_client_key_path = options.client_key_file;
  to.ssl_client_cert_path = options.client_certificate_file;
  to.compression = "none";
  return to;
}

}  // namespace maas::trace
