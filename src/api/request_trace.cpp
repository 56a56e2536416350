#include "api/request_trace.hpp"

#include "core/trimmed.hpp"
#include "http/url.hpp"
#include "trace/attributes.hpp"

#include <algorithm>
#include <array>

namespace maas::api {
namespace {

namespace attribute = trace::attribute;
using std::chrono::steady_clock;

constexpr std::uint16_t kHttpPort = 80;

class AttachedSpan final : public http::Attachment {
 public:
  explicit AttachedSpan(trace::Span begun) : span(std::move(begun)) {}

  trace::Span span;
};

bool is_watching(std::string_view path) {
  constexpr std::array<std::string_view, 2> kWatching{"/health", "/metrics"};
  return std::ranges::any_of(kWatching, [path](std::string_view name) {
    return path == name || (path.starts_with(name) && path[name.size()] == '/');
  });
}

// "GET", or what stands for a method that nobody knows.
std::string_view name_of(http::Method method) {
  return method == http::Method::other ? "HTTP" : http::to_string(method);
}

// The first proxy tells the client; without one it is the peer.
std::string_view client_of(const http::Request& request) {
  const std::string_view forwarded = request.header("X-Forwarded-For");
  const std::string_view first = trimmed(forwarded.substr(0, forwarded.find(',')));
  return first.empty() ? request.peer_address : first;
}

void describe(trace::Span& span, const http::Request& request) {
  if (!span) return;
  const auto set_if = [&span](std::string_view name, std::string_view value) {
    if (!value.empty()) span.set(name, value);
  };
  span.set(attribute::kHttpMethod, http::to_string(request.method));
  if (request.method == http::Method::other) {
    span.set(attribute::kHttpMethodOriginal, request.method_text);
  }
  span.set(attribute::kUrlScheme, "http");
  span.set(attribute::kUrlPath, request.path);
  set_if(attribute::kUrlQuery, redacted_query(request.query_text));
  const http::Authority authority = http::parse_authority(request.header("Host"));
  if (!authority.host.empty()) {
    span.set(attribute::kServerAddress, authority.host);
    span.set(attribute::kServerPort, authority.port.value_or(kHttpPort));
  }
  set_if(attribute::kClientAddress, client_of(request));
  if (!request.peer_address.empty()) {
    span.set(attribute::kPeerAddress, request.peer_address);
    span.set(attribute::kPeerPort, request.peer_port);
  }
  span.set(attribute::kProtocolVersion, request.is_http10 ? "1.0" : "1.1");
  set_if(attribute::kUserAgent, request.header("User-Agent"));
}

}  // namespace

void begin_span(const trace::Tracer* tracer, http::Request& request) {
  if (!tracer || is_watching(request.path)) return;
  std::optional<trace::TraceContext> caller;
  if (tracer->propagates()) {
    caller = trace::read_trace_context(request.header_values("traceparent"),
                                       request.header_values("tracestate"));
  }
  const auto lasted = steady_clock::now() - request.arrived;
  auto attached = std::make_shared<AttachedSpan>(
      tracer->begin_request(name_of(request.method), caller, lasted));
  describe(attached->span, request);
  request.attachment = std::move(attached);
}

trace::Span& span_of(const http::Request& request) {
  static trace::Span none;
  return request.attachment ? static_cast<AttachedSpan&>(*request.attachment).span : none;
}

SpanIds span_ids(const http::Request& request) {
  const std::optional<trace::TraceContext> context = span_of(request).context();
  if (!context) return {};
  return {.trace = trace::hex(context->trace_id), .span = trace::hex(context->span_id)};
}

void begin_operation(const http::Request& request, const char* operation) {
  trace::Span& span = span_of(request);
  if (span) span.identify({.operation = operation});
}

void tell_scope(const http::Request& request, const Scope& scope) {
  trace::Span& span = span_of(request);
  if (!span) return;
  span.identify({.user = scope.user_id, .session = scope.session_id, .agent = scope.agent_id});
}

void tell_session(const http::Request& request, const std::string& session) {
  trace::Span& span = span_of(request);
  if (span) span.identify({.session = session});
}

void end_span(const trace::Tracer* tracer, const http::Request& request, int status) {
  if (!tracer || request.method_text.empty()) return;
  if (!request.attachment) {
    http::Request unhandled = request;
    begin_span(tracer, unhandled);
    if (unhandled.attachment) end_span(tracer, unhandled, status);
    return;
  }
  trace::Span span = std::exchange(span_of(request), trace::Span());
  if (!request.route.empty()) {
    span.rename(std::string(name_of(request.method)) + " " + std::string(request.route));
    span.set(attribute::kHttpRoute, request.route);
  }
  span.set(attribute::kHttpStatus, status);
  if (status >= 500) span.fail(std::to_string(status));
}

std::string redacted_query(std::string_view query) {
  // The last is MaaS' own: what users said may stand in it.
  constexpr std::array<std::string_view, 8> kSecrets{
      "X-Amz-Signature",  "X-Amz-Credential", "X-Amz-Security-Token",
      "AWSAccessKeyId",   "Signature",        "sig",
      "X-Goog-Signature", "filters"};
  std::string redacted;
  redacted.reserve(query.size());
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::string_view name = pair.substr(0, pair.find('='));
    const bool is_secret =
        name.size() < pair.size() && std::ranges::find(kSecrets, name) != kSecrets.end();
    redacted += is_secret ? std::string(name) + "=REDACTED" : std::string(pair);
    if (end < query.size()) redacted += '&';
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return redacted;
}

}  // namespace maas::api
