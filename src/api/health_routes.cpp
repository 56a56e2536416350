#include "api/routes.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace maas::api {
namespace {

namespace json = boost::json;

Task<http::Response> alive() { co_return http::Response{.body = R"({"status":"ok"})"}; }

Task<http::Response> ready(const std::vector<Check>& checks) {
  json::object results;
  bool all_serve = true;
  for (const Check& check : checks) {
    const std::optional<std::string> problem = co_await check.problem();
    all_serve = all_serve && !problem;
    const std::string detail = problem ? *problem : check.note ? check.note() : std::string();
    results[check.name] = {{"engine", check.engine},
                           {"status", problem ? "unavailable" : "ok"},
                           {"detail", detail.empty() ? json::value(nullptr) : json::value(detail)}};
  }
  co_return http::Response{
      .status = all_serve ? 200 : 503,
      .body = json::serialize(json::object{{"status", all_serve ? "ok" : "unavailable"},
                                           {"checks", std::move(results)}})};
}

}  // namespace

void add_health_routes(http::Router& router, std::vector<Check> checks) {
  router.add(http::Method::get, "/health", [](http::Request&) { return alive(); });
  router.add(http::Method::get, "/health/ready",
             [checks = std::move(checks)](http::Request&) { return ready(checks); });
}

}  // namespace maas::api
