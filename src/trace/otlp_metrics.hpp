#pragma once

#include "trace/metrics.hpp"
#include "trace/otlp_options.hpp"

#include <chrono>
#include <string>

namespace maas::trace {

// All metrics as an ExportMetricsServiceRequest in protobuf, cumulative since `began`. `resource`
// tells of this process.
std::string otlp_of_metrics(const Metrics& metrics, const KeyValues& resource,
                            std::chrono::system_clock::time_point began,
                            std::chrono::system_clock::time_point time);

}  // namespace maas::trace
