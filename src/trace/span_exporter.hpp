#pragma once

#include "trace/journey.hpp"
#include "trace/otlp_sender.hpp"

#include <memory>

namespace opentelemetry {
inline namespace v1 {
namespace sdk::trace {
class SpanExporter;
}
}  // namespace v1
}  // namespace opentelemetry

namespace maas::trace {

// Sends the SDK's batches in OTLP. Its spans are written in their form on the wire from the
// beginning: a tree of protobuf messages would cost some eighty allocations a span.
std::unique_ptr<opentelemetry::sdk::trace::SpanExporter> make_span_exporter(
    std::shared_ptr<OtlpSender> sender, bool as_json, std::shared_ptr<Journey> journey);

}  // namespace maas::trace
