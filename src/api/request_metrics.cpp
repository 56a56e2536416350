#include "api/request_metrics.hpp"

#include "trace/metrics.hpp"

#include <string>

namespace maas::api {
namespace {

constexpr std::string_view kScheme = "http";
constexpr int kFirstServerError = 500;

}  // namespace

ActiveRequest::ActiveRequest(http::Method method) : method_(method) {
  trace::metrics().http_active.add(1, {to_string(method_), kScheme});
}

ActiveRequest::~ActiveRequest() {
  trace::metrics().http_active.add(-1, {to_string(method_), kScheme});
}

void count_request(const http::Request& request, int status, std::chrono::nanoseconds duration) {
  const std::string code = std::to_string(status);
  const std::string_view error = status >= kFirstServerError ? std::string_view(code) : "";
  trace::metrics().http_requests.record(
      std::chrono::duration<double>(duration).count(),
      {to_string(request.method), kScheme, request.route, code, error});
}

}  // namespace maas::api
