#pragma once

#include <string>
#include <string_view>

namespace maas::trace {

// OTLP's JSON of an ExportTraceServiceRequest in protobuf: ids in hex, enums as numbers, 64-bit
// integers as text. Throws protozero::exception if it is none; only for bytes of our own.
std::string otlp_json_of_traces(std::string_view protobuf);
// The same of an ExportMetricsServiceRequest.
std::string otlp_json_of_metrics(std::string_view protobuf);

}  // namespace maas::trace
