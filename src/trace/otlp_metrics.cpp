#include "trace/otlp_metrics.hpp"

#include "trace/attributes.hpp"
#include "trace/resource.hpp"

#include <numeric>
#include <protozero/pbf_writer.hpp>

namespace maas::trace {
namespace {

using protozero::pbf_tag_type;
using protozero::pbf_writer;
using std::chrono::system_clock;

constexpr std::int32_t kCumulative = 2;

// The tags are those of opentelemetry/proto/{common,metrics,resource}/v1.

std::uint64_t nanoseconds(system_clock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  return static_cast<std::uint64_t>(since.count());
}

void write_text(pbf_writer& to, pbf_tag_type tag, std::string_view text) {
  to.add_bytes(tag, text.data(), text.size());
}

void write_attribute(pbf_writer& to, pbf_tag_type tag, std::string_view name,
                     std::string_view value) {
  pbf_writer attribute(to, tag);
  write_text(attribute, 1, name);
  pbf_writer any(attribute, 2);
  if (is_number(name)) {
    any.add_int64(3, number_in(value));
  } else {
    write_text(any, 1, value);
  }
}

struct Period {
  std::uint64_t began;
  std::uint64_t time;
};

void write_labels(pbf_writer& to, pbf_tag_type tag, const Point& point, const Measured& measured) {
  for (std::size_t i = 0; i < point.labels.size(); ++i) {
    if (!point.labels[i].empty()) write_attribute(to, tag, measured.attributes[i], point.labels[i]);
  }
}

void write_number(pbf_writer& data, const Point& point, const Measured& measured, Period period) {
  pbf_writer number(data, 1);
  number.add_fixed64(2, period.began);
  number.add_fixed64(3, period.time);
  number.add_double(4, point.value);
  write_labels(number, 7, point, measured);
}

void write_histogram(pbf_writer& data, const Point& point, const Measured& measured,
                     Period period) {
  pbf_writer histogram(data, 1);
  histogram.add_fixed64(2, period.began);
  histogram.add_fixed64(3, period.time);
  histogram.add_fixed64(
      4, std::accumulate(point.buckets.begin(), point.buckets.end(), std::uint64_t{0}));
  histogram.add_double(5, point.value);
  histogram.add_packed_fixed64(6, point.buckets.begin(), point.buckets.end());
  histogram.add_packed_double(7, measured.boundaries.begin(), measured.boundaries.end());
  write_labels(histogram, 9, point, measured);
}

void write_metric(pbf_writer& to, const Instrument& instrument, Period period) {
  const std::vector<Point> points = instrument.points();
  if (points.empty()) return;
  const Measured& measured = instrument.measured();
  pbf_writer metric(to, 2);
  write_text(metric, 1, measured.name);
  write_text(metric, 2, measured.meaning);
  write_text(metric, 3, measured.unit);
  switch (instrument.kind()) {
    case Measurement::gauge: {
      pbf_writer gauge(metric, 5);
      for (const Point& point : points) write_number(gauge, point, measured, period);
      return;
    }
    case Measurement::counter: {
      pbf_writer sum(metric, 7);
      for (const Point& point : points) write_number(sum, point, measured, period);
      sum.add_enum(2, kCumulative);
      sum.add_bool(3, true);  // monotonic
      return;
    }
    case Measurement::histogram: {
      pbf_writer histogram(metric, 9);
      for (const Point& point : points) write_histogram(histogram, point, measured, period);
      histogram.add_enum(2, kCumulative);
      return;
    }
  }
}

}  // namespace

std::string otlp_of_metrics(const Metrics& metrics, const KeyValues& resource,
                            system_clock::time_point began, system_clock::time_point time) {
  std::string bytes;
  pbf_writer request(bytes);
  pbf_writer of_resource(request, 1);
  {
    pbf_writer told(of_resource, 1);
    for (const auto& [name, value] : process_resource(resource)) {
      write_attribute(told, 1, name, value);
    }
  }
  pbf_writer of_scope(of_resource, 2);
  {
    pbf_writer scope(of_scope, 1);
    write_text(scope, 1, kScopeName);
    write_text(scope, 2, MAAS_VERSION);
  }
  for (const Instrument* instrument : metrics.all) {
    write_metric(of_scope, *instrument, {nanoseconds(began), nanoseconds(time)});
  }
  write_text(of_scope, 3, attribute::kSchemaUrl);
  return bytes;
}

}  // namespace maas::trace
