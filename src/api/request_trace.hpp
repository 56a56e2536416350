#pragma once

#include "core/memory.hpp"
#include "http/types.hpp"
#include "trace/tracer.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace maas::api {

// Begins the span of a request; what asks for health or metrics has none. A null tracer: nor has
// anything else.
void begin_span(const trace::Tracer* tracer, http::Request& request);

// The span of a request; one that records nothing if it has none.
trace::Span& span_of(const http::Request& request);

// Tells, on it and on those below, what is being done: "ltm.add"; and for whom.
void begin_operation(const http::Request& request, const char* operation);
void tell_scope(const http::Request& request, const Scope& scope);
void tell_session(const http::Request& request, const std::string& session);

// The ids by which its log lines are found again; nullopt: it has no span.
struct SpanIds {
  std::optional<std::string> trace = {};
  std::optional<std::string> span = {};
};
SpanIds span_ids(const http::Request& request);

// Ends it with the status that was sent. A request that no handler has seen gets its span here.
void end_span(const trace::Tracer* tracer, const http::Request& request, int status);

// A query with the values of signatures, credentials and filters replaced.
std::string redacted_query(std::string_view query);

}  // namespace maas::api
