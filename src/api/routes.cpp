#include "api/routes.hpp"

#include "api/errors.hpp"
#include "api/request_metrics.hpp"
#include "api/request_trace.hpp"
#include "core/log.hpp"
#include "http/url.hpp"
#include "trace/attributes.hpp"

#include <array>
#include <random>

namespace maas::api {
namespace {

// What an operator, a load balancer or a browser asks before it has a key.
bool is_open(std::string_view path) {
  constexpr std::array<std::string_view, 4> kOpen{"/health", "/metrics", "/docs", "/openapi.json"};
  return std::ranges::any_of(kOpen, [&](std::string_view open) {
    return path == open || (path.starts_with(open) && path[open.size()] == '/');
  });
}

Task<http::Response> answer(const http::Router& router, const ApiKeys& keys,
                            http::Request& request) {
  const ActiveRequest active(request.method);
  std::exception_ptr failure;
  try {
    if (!is_open(request.path)) request.principal = keys.tenant_of(request);
    co_return co_await router.dispatch(request);
  } catch (...) {
    failure = std::current_exception();
  }
  co_return error_reply(failure, request);
}

Task<http::Response> answer_traced(const http::Router& router, const ApiKeys& keys,
                                   const trace::Tracer& tracer, http::Request& request) {
  begin_span(&tracer, request);
  trace::Span& span = span_of(request);
  const bool captures = span.captures_content() && !is_open(request.path);
  if (captures && !request.body.empty()) span.set(trace::attribute::kInput, request.body);
  http::Response response = co_await answer(router, keys, request);
  if (captures) span.set(trace::attribute::kOutput, response.body);
  co_return response;
}

bool is_sampled(double share) {
  if (share <= 0 || share >= 1) return share > 0;
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::generate_canonical<double, 32>(random) < share;
}

void log_access(const http::Request& request, int status, std::chrono::nanoseconds duration) {
  const SpanIds ids = span_ids(request);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(duration);
  log::write_soon(log::Level::info, "request",
                  {{"request_id", request.id},
                   {"trace_id", ids.trace},
                   {"span_id", ids.span},
                   {"method", to_string(request.method)},
                   {"path", http::printable(request.path)},
                   {"status", status},
                   {"duration_us", micros.count()},
                   {"tenant", request.principal}});
}

}  // namespace

http::Handler make_handler(const http::Router& router, const ApiKeys& keys,
                           const trace::Tracer* tracer) {
  return [&router, &keys, tracer](http::Request& request) {
    return tracer ? answer_traced(router, keys, *tracer, request) : answer(router, keys, request);
  };
}

http::RequestObserver make_observer(const trace::Tracer* tracer, double log_sample) {
  return [tracer, log_sample](const http::Request& request, int status,
                              std::chrono::nanoseconds duration) {
    count_request(request, status, duration);
    if (is_sampled(log_sample)) log_access(request, status, duration);
    end_span(tracer, request, status);
  };
}

}  // namespace maas::api
