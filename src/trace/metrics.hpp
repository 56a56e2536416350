#pragma once

#include "trace/attributes.hpp"
#include "trace/instrument.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::trace {

// What is counted in this process, in OpenTelemetry's names and units (semantic conventions 1.41.1)
// and, below "maas.", our own.
struct Metrics {
  Instruments all;  // those that follow

  Histogram http_requests;
  Gauge http_active;
  Histogram model_calls;
  Histogram model_tokens;
  Histogram database_calls;

  Counter sessions_started;
  Counter messages_appended;
  Counter summaries;
  Counter memories_written;
  Histogram searches;
  Histogram visible_lag;
  Counter expired;

  Counter cache_lookups;
  Gauge queue_depth;
  Counter upstream_retries;
  Counter spans;

  Metrics();
};

// Lives as long as the process.
Metrics& metrics();

// All of them as Prometheus reads them (text format 0.0.4). `resource` tells of this process.
std::string prometheus_text(const Metrics& metrics,
                            const std::vector<std::pair<std::string, std::string>>& resource);

// The type of that text.
inline constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace maas::trace
