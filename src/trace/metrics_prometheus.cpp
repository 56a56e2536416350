#include "text/utf8.hpp"
#include "trace/metrics.hpp"

#include <algorithm>
#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace maas::trace {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Prometheus' form of an OpenTelemetry name, as the specification of their compatibility has it.
std::string underscored(std::string_view name) {
  std::string made(name);
  std::ranges::replace_if(
      made, [](char c) { return !is_letter_or_digit(c); }, '_');
  if (!made.empty() && made.front() >= '0' && made.front() <= '9') made.insert(0, "_");
  return made;
}

std::string family_name(const Instrument& instrument) {
  std::string name = underscored(instrument.measured().name);
  if (instrument.measured().unit == "s") name += "_seconds";
  if (instrument.kind() == Measurement::counter) name += "_total";
  return name;
}

MetricType type_of(Measurement kind) {
  return kind == Measurement::counter ? MetricType::Counter
         : kind == Measurement::gauge ? MetricType::Gauge
                                      : MetricType::Histogram;
}

void fill(ClientMetric::Histogram& histogram, const Point& point,
          const std::vector<double>& boundaries) {
  for (std::size_t i = 0; i < point.buckets.size(); ++i) {
    histogram.sample_count += point.buckets[i];
    const double upper =
        i < boundaries.size() ? boundaries[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({.cumulative_count = histogram.sample_count, .upper_bound = upper});
  }
  histogram.sample_sum = point.value;
}

MetricFamily family_of(const Instrument& instrument) {
  const Measured& measured = instrument.measured();
  MetricFamily family{.name = family_name(instrument),
                      .help = std::string(measured.meaning),
                      .type = type_of(instrument.kind()),
                      .metric = {}};
  for (const Point& point : instrument.points()) {
    ClientMetric metric;
    for (std::size_t i = 0; i < point.labels.size(); ++i) {
      if (point.labels[i].empty()) continue;
      metric.label.push_back({underscored(measured.attributes[i]), point.labels[i]});
    }
    metric.counter.value = metric.gauge.value = point.value;
    if (family.type == MetricType::Histogram) fill(metric.histogram, point, measured.boundaries);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

// What an operator calls it, as far as it is a label: UTF-8, and each name once.
ClientMetric target_of(const std::vector<std::pair<std::string, std::string>>& resource) {
  ClientMetric target;
  target.gauge.value = 1;
  for (const auto& [name, value] : resource) {
    const std::string label = underscored(name);
    const bool is_new =
        std::ranges::find(target.label, label, &ClientMetric::Label::name) == target.label.end();
    if (is_new && !label.empty() && text::is_valid_utf8(value))
      target.label.push_back({label, value});
  }
  return target;
}

}  // namespace

std::string prometheus_text(const Metrics& metrics,
                            const std::vector<std::pair<std::string, std::string>>& resource) {
  std::vector<MetricFamily> families{{.name = "target_info",
                                      .help = "What tells this process from others",
                                      .type = MetricType::Gauge,
                                      .metric = {target_of(resource)}}};
  for (const Instrument* instrument : metrics.all) {
    MetricFamily family = family_of(*instrument);
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace maas::trace
