#include "api/routes.hpp"
#include "trace/metrics.hpp"

#include <utility>

namespace maas::api {
namespace {

Task<http::Response> show(const trace::KeyValues& resource) {
  co_return http::Response{.body = trace::prometheus_text(trace::metrics(), resource),
                           .content_type = std::string(trace::kPrometheusType)};
}

}  // namespace

void add_metrics_routes(http::Router& router, trace::KeyValues resource) {
  router.add(http::Method::get, "/metrics",
             [resource = std::move(resource)](http::Request&) { return show(resource); });
}

}  // namespace maas::api
