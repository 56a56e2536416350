#include "core/log.hpp"
#include "trace/attributes.hpp"
#include "trace/metrics_exporter.hpp"
#include "trace/sdk_log.hpp"
#include "trace/sdk_options_otel.hpp"

#include <atomic>
#include <opentelemetry/exporters/otlp/otlp_http_metric_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_metric_exporter_options.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/metrics/data/metric_data.h>
#include <opentelemetry/sdk/metrics/export/metric_producer.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_options.h>
#include <opentelemetry/sdk/metrics/metric_reader.h>
#include <opentelemetry/sdk/metrics/push_metric_exporter.h>
#include <utility>

namespace maas::trace {
namespace {

namespace otlp = opentelemetry::exporter::otlp;
namespace sdk = opentelemetry::sdk::metrics;
namespace resource = opentelemetry::sdk::resource;
using opentelemetry::common::SystemTimestamp;
using opentelemetry::sdk::instrumentationscope::InstrumentationScope;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenWarnings{60};
// The SDK's exporter calls every export a success (as of 1.19); this line in its log tells
// otherwise.
constexpr std::string_view kExportFailed = "[OTLP METRIC HTTP Exporter] ERROR: Export ";

sdk::InstrumentType type_of(Measurement kind) {
  return kind == Measurement::counter ? sdk::InstrumentType::kCounter
         : kind == Measurement::gauge ? sdk::InstrumentType::kGauge
                                      : sdk::InstrumentType::kHistogram;
}

sdk::PointType point_of(const Point& point, const Instrument& instrument, SystemTimestamp time) {
  if (instrument.kind() == Measurement::counter) {
    sdk::SumPointData sum;
    sum.value_ = point.value;
    sum.is_monotonic_ = true;
    return sum;
  }
  if (instrument.kind() == Measurement::gauge) {
    sdk::LastValuePointData last;
    last.value_ = point.value;
    last.is_lastvalue_valid_ = true;
    last.sample_ts_ = time;
    return last;
  }
  sdk::HistogramPointData histogram;
  histogram.boundaries_ = instrument.measured().boundaries;
  histogram.counts_ = point.buckets;
  for (const std::uint64_t bucket : point.buckets) histogram.count_ += bucket;
  histogram.sum_ = point.value;
  histogram.record_min_max_ = false;
  return histogram;
}

sdk::PointAttributes attributes_of(const Point& point, const Measured& measured) {
  sdk::PointAttributes attributes;
  for (std::size_t i = 0; i < point.labels.size(); ++i) {
    const std::string_view name = measured.attributes[i];
    if (point.labels[i].empty()) continue;
    if (name == attribute::kHttpStatus || name == attribute::kServerPort) {
      attributes[std::string(name)] = number_in(point.labels[i]);
    } else {
      attributes[std::string(name)] = point.labels[i];
    }
  }
  return attributes;
}

// What the SDK's reader asks.
class Producer final : public sdk::MetricProducer {
 public:
  Producer(const Metrics& metrics, const KeyValues& told)
      : metrics_(metrics),
        resource_(ProcessDetector(told).Detect()),
        scope_(InstrumentationScope::Create("maas", MAAS_VERSION,
                                            std::string(attribute::kSchemaUrl))) {}

  Result Produce() noexcept override {
    const SystemTimestamp time(std::chrono::system_clock::now());
    sdk::ScopeMetrics produced;
    produced.scope_ = scope_.get();
    for (const Instrument* instrument : metrics_.all) {
      sdk::MetricData data = described(*instrument, time);
      for (const Point& point : instrument->points()) {
        data.point_data_attr_.push_back(
            {attributes_of(point, instrument->measured()), point_of(point, *instrument, time)});
      }
      if (!data.point_data_attr_.empty()) produced.metric_data_.push_back(std::move(data));
    }
    Result result;
    result.points_.resource_ = &resource_;
    result.points_.scope_metric_data_.push_back(std::move(produced));
    result.status_ = Status::kSuccess;
    return result;
  }

 private:
  sdk::MetricData described(const Instrument& instrument, SystemTimestamp time) const {
    const Measured& measured = instrument.measured();
    sdk::MetricData data;
    data.instrument_descriptor = {.name_ = std::string(measured.name),
                                  .description_ = std::string(measured.meaning),
                                  .unit_ = std::string(measured.unit),
                                  .type_ = type_of(instrument.kind()),
                                  .value_type_ = sdk::InstrumentValueType::kDouble};
    data.aggregation_temporality = sdk::AggregationTemporality::kCumulative;
    data.start_ts = began_;
    data.end_ts = time;
    return data;
  }

  const Metrics& metrics_;
  const resource::Resource resource_;
  const std::unique_ptr<InstrumentationScope> scope_;
  const SystemTimestamp began_{std::chrono::system_clock::now()};
};

// Tells in the log when nobody takes them.
void tell_failures(std::string_view problem) {
  static std::atomic<steady_clock::time_point> told = steady_clock::time_point::min();
  if (!problem.starts_with(kExportFailed)) return;
  const auto time = steady_clock::now();
  auto last = told.load();
  const bool is_due = last == steady_clock::time_point::min() || time - last >= kBetweenWarnings;
  if (!is_due || !told.compare_exchange_strong(last, time)) return;
  log::warn(
      "metrics were not exported: the collector can't be reached or refuses them; /metrics has "
      "them, and OTEL_METRICS_EXPORTER=none keeps them there");
}

class OtelMetricsExporter final : public MetricsExporter {
 public:
  OtelMetricsExporter(const MetricsOptions& options, const Metrics& metrics, const KeyValues& told)
      : stop_timeout_(options.stop_timeout), producer_(metrics, told) {
    static const bool listens = (listen_to_sdk(tell_failures), true);
    static_cast<void>(listens);
    const auto timeout = std::min(options.export_timeout, options.stop_timeout);
    auto exporter = otlp::OtlpHttpMetricExporterFactory::Create(
        make_target<otlp::OtlpHttpMetricExporterOptions>(options.exporting, timeout));
    sdk::PeriodicExportingMetricReaderOptions when;
    when.export_interval_millis = options.interval;
    // It has to be the shorter one, or neither counts.
    when.export_timeout_millis =
        std::min(options.export_timeout, options.interval - std::chrono::milliseconds(1));
    reader_ = sdk::PeriodicExportingMetricReaderFactory::Create(std::move(exporter), when);
    reader_->SetMetricProducer(&producer_);
  }

  ~OtelMetricsExporter() override {
    reader_->ForceFlush(stop_timeout_);
    reader_->Shutdown(stop_timeout_);
  }

 private:
  std::chrono::milliseconds stop_timeout_;
  Producer producer_;
  std::unique_ptr<sdk::MetricReader> reader_;
};

}  // namespace

std::unique_ptr<MetricsExporter> make_metrics_exporter(const MetricsOptions& options,
                                                       const Metrics& metrics,
                                                       const KeyValues& resource) {
  if (!options.is_on()) return nullptr;
  return std::make_unique<OtelMetricsExporter>(options, metrics, resource);
}

}  // namespace maas::trace
