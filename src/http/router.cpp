#include "http/router.hpp"

#include "http/url.hpp"

#include <algorithm>
#include <cassert>

namespace maas::http {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    segments.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(segments.back().size());
  }
  return segments;
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

Response malformed_encoding(std::string_view where) {
  return error_response(400, "Malformed percent-encoding in the " + std::string(where) +
                                 ": every '%' needs two hex digits after it");
}

}  // namespace

void Router::add(Method method, std::string pattern, Handler handler) {
  auto it =
      std::ranges::find_if(routes_, [&](const auto& route) { return route->pattern == pattern; });
  if (it == routes_.end()) {
    auto route = std::make_unique<Route>();
    route->pattern = std::move(pattern);
    route->segments = split(route->pattern);
    it = routes_.insert(routes_.end(), std::move(route));
  }
  (*it)->handlers.emplace_back(method, std::move(handler));
}

bool Router::matches(const Route& route, const std::vector<std::string_view>& segments) {
  return std::ranges::equal(route.segments, segments,
                            [](std::string_view pattern, std::string_view segment) {
                              return is_parameter(pattern) ? !segment.empty() : pattern == segment;
                            });
}

std::string Router::allowed_methods(const Route& route) {
  std::string allowed;
  for (const auto& [method, handler] : route.handlers) {
    if (!allowed.empty()) allowed += ", ";
    allowed += to_string(method);
    if (method == Method::get) allowed += ", HEAD";
  }
  return allowed;
}

Task<Response> Router::dispatch(Request& request) const {
  // Not "*" nor a CONNECT target: only these are paths.
  if (!request.path.starts_with('/')) co_return error_response(404, "Not Found");
  const std::vector<std::string_view> segments = split(request.path);
  const auto found =
      std::ranges::find_if(routes_, [&](const auto& route) { return matches(*route, segments); });
  if (found == routes_.end()) co_return error_response(404, "Not Found");
  const Route& route = **found;
  request.route = route.pattern;

  const Method method = request.method == Method::head ? Method::get : request.method;
  const auto entry = std::ranges::find(route.handlers, method, &std::pair<Method, Handler>::first);
  if (entry == route.handlers.end()) {
    Response response = error_response(405, "Method Not Allowed");
    response.headers.emplace_back("Allow", allowed_methods(route));
    co_return response;
  }

  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!is_parameter(route.segments[i])) continue;
    auto value = percent_decode(segments[i]);
    if (!value) co_return malformed_encoding("path");
    const std::string_view name = route.segments[i].substr(1, route.segments[i].size() - 2);
    request.path_parameters.emplace_back(name, *std::move(value));
  }
  auto query = parse_query(request.query_text);
  if (!query) co_return malformed_encoding("query");
  request.query = *std::move(query);
  co_return co_await entry->second(request);
}

}  // namespace maas::http
