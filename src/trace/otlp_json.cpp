#include "trace/otlp_json.hpp"

#include <boost/algorithm/hex.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cmath>
#include <iterator>
#include <protozero/pbf_reader.hpp>
#include <span>

namespace maas::trace {
namespace {

namespace json = boost::json;

enum class Form { message, text, hex, decimal64, time, number, flags, flag, real, times, reals };

// What a field of a message is called, and how it is written.
// https://opentelemetry.io/docs/specs/otlp
struct Field {
  protozero::pbf_tag_type tag = 0;
  std::string_view name = {};
  Form form = Form::message;
  bool repeated = false;
  std::span<const Field> of = {};  // of a message
};

extern const std::array<Field, 5> kValue;  // of which arrays have several
const std::array<Field, 1> kArray{{{1, "values", Form::message, true, kValue}}};
const std::array<Field, 5> kValue{{{1, "stringValue", Form::text},
                                   {2, "boolValue", Form::flag},
                                   {3, "intValue", Form::decimal64},
                                   {4, "doubleValue", Form::real},
                                   {5, "arrayValue", Form::message, false, kArray}}};
const Field kAttribute[]{{1, "key", Form::text}, {2, "value", Form::message, false, kValue}};
const Field kStatus[]{{2, "message", Form::text}, {3, "code", Form::number}};
const Field kSpan[]{{1, "traceId", Form::hex},
                    {2, "spanId", Form::hex},
                    {3, "traceState", Form::text},
                    {4, "parentSpanId", Form::hex},
                    {5, "name", Form::text},
                    {6, "kind", Form::number},
                    {7, "startTimeUnixNano", Form::time},
                    {8, "endTimeUnixNano", Form::time},
                    {9, "attributes", Form::message, true, kAttribute},
                    {15, "status", Form::message, false, kStatus},
                    {16, "flags", Form::flags}};
const Field kScope[]{{1, "name", Form::text}, {2, "version", Form::text}};
const Field kScopeSpans[]{{1, "scope", Form::message, false, kScope},
                          {2, "spans", Form::message, true, kSpan},
                          {3, "schemaUrl", Form::text}};
const Field kResource[]{{1, "attributes", Form::message, true, kAttribute}};
const Field kResourceSpans[]{{1, "resource", Form::message, false, kResource},
                             {2, "scopeSpans", Form::message, true, kScopeSpans},
                             {3, "schemaUrl", Form::text}};
const Field kTraces[]{{1, "resourceSpans", Form::message, true, kResourceSpans}};

const Field kNumberPoint[]{{2, "startTimeUnixNano", Form::time},
                           {3, "timeUnixNano", Form::time},
                           {4, "asDouble", Form::real},
                           {7, "attributes", Form::message, true, kAttribute}};
const Field kHistogramPoint[]{{2, "startTimeUnixNano", Form::time},
                              {3, "timeUnixNano", Form::time},
                              {4, "count", Form::time},
                              {5, "sum", Form::real},
                              {6, "bucketCounts", Form::times},
                              {7, "explicitBounds", Form::reals},
                              {9, "attributes", Form::message, true, kAttribute}};
const Field kGauge[]{{1, "dataPoints", Form::message, true, kNumberPoint}};
const Field kSum[]{{1, "dataPoints", Form::message, true, kNumberPoint},
                   {2, "aggregationTemporality", Form::number},
                   {3, "isMonotonic", Form::flag}};
const Field kHistogram[]{{1, "dataPoints", Form::message, true, kHistogramPoint},
                         {2, "aggregationTemporality", Form::number}};
const Field kMetric[]{{1, "name", Form::text},
                      {2, "description", Form::text},
                      {3, "unit", Form::text},
                      {5, "gauge", Form::message, false, kGauge},
                      {7, "sum", Form::message, false, kSum},
                      {9, "histogram", Form::message, false, kHistogram}};
const Field kScopeMetrics[]{{1, "scope", Form::message, false, kScope},
                            {2, "metrics", Form::message, true, kMetric},
                            {3, "schemaUrl", Form::text}};
const Field kResourceMetrics[]{{1, "resource", Form::message, false, kResource},
                               {2, "scopeMetrics", Form::message, true, kScopeMetrics},
                               {3, "schemaUrl", Form::text}};
const Field kMetrics[]{{1, "resourceMetrics", Form::message, true, kResourceMetrics}};

json::object object_of(protozero::pbf_reader message, std::span<const Field> fields);

json::value real(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

json::value value_of(protozero::pbf_reader& message, const Field& field) {
  switch (field.form) {
    case Form::message:
      return object_of(message.get_message(), field.of);
    case Form::text:
      return json::string(message.get_string());
    case Form::hex: {
      const std::string bytes = message.get_bytes();
      std::string digits;
      boost::algorithm::hex_lower(bytes, std::back_inserter(digits));
      return json::string(digits);
    }
    case Form::decimal64:
      return json::string(std::to_string(message.get_int64()));
    case Form::time:
      return json::string(std::to_string(message.get_fixed64()));
    case Form::number:
      return message.get_enum();
    case Form::flags:
      return message.get_fixed32();
    case Form::flag:
      return message.get_bool();
    case Form::real:
      return real(message.get_double());
    case Form::times: {
      json::array values;
      for (const std::uint64_t each : message.get_packed_fixed64()) {
        values.push_back(json::string(std::to_string(each)));
      }
      return values;
    }
    case Form::reals: {
      json::array values;
      for (const double each : message.get_packed_double()) values.push_back(real(each));
      return values;
    }
  }
  return nullptr;
}

json::object object_of(protozero::pbf_reader message, std::span<const Field> fields) {
  json::object object;
  while (message.next()) {
    const Field* known = nullptr;
    for (const Field& field : fields) {
      if (field.tag == message.tag()) known = &field;
    }
    if (!known) {
      message.skip();
      continue;
    }
    json::value value = value_of(message, *known);
    if (!known->repeated) {
      object[known->name] = std::move(value);
    } else if (json::value* list = object.if_contains(known->name)) {
      list->get_array().push_back(std::move(value));
    } else {
      object[known->name] = json::array{std::move(value)};
    }
  }
  return object;
}

std::string json_of(std::string_view protobuf, std::span<const Field> fields) {
  return json::serialize(
      object_of(protozero::pbf_reader(protobuf.data(), protobuf.size()), fields));
}

}  // namespace

std::string otlp_json_of_traces(std::string_view protobuf) { return json_of(protobuf, kTraces); }

std::string otlp_json_of_metrics(std::string_view protobuf) { return json_of(protobuf, kMetrics); }

}  // namespace maas::trace
