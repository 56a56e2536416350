#pragma once

#include "trace/metrics.hpp"
#include "trace/otlp_options.hpp"

#include <chrono>
#include <memory>

namespace maas::trace {

// Where metrics are pushed to, beside being shown at /metrics.
struct MetricsOptions {
  OtlpOptions exporting = {};
  std::chrono::milliseconds interval{60'000};        // between two exports
  std::chrono::milliseconds export_timeout{30'000};  // of one, with what is tried again
  std::chrono::milliseconds stop_timeout{2'500};     // of the last, when the process ends
  bool disabled = false;

  bool is_on() const { return !disabled && exporting.is_sent(); }
};

// Sends all metrics again and again, from a thread of its own. Its destructor sends what there is
// once more.
class MetricsExporter {
 public:
  virtual ~MetricsExporter() = default;
};

// Null when they are not to be sent. Borrows the metrics. `resource` tells of this process.
std::unique_ptr<MetricsExporter> make_metrics_exporter(const MetricsOptions& options,
                                                       const Metrics& metrics,
                                                       const KeyValues& resource);

}  // namespace maas::trace
