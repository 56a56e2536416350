#include "api/routes.hpp"

#include "api/errors.hpp"
#include "core/log.hpp"
#include "http/url.hpp"

#include <array>
#include <random>

namespace maas::api {
namespace {

// What an operator, a load balancer or a browser asks before it has a key.
bool is_open(std::string_view path) {
  constexpr std::array<std::string_view, 3> kOpen{"/health", "/docs", "/openapi.json"};
  return std::ranges::any_of(kOpen, [&](std::string_view open) {
    return path == open || (path.starts_with(open) && path[open.size()] == '/');
  });
}

Task<http::Response> handle(const http::Router& router, const ApiKeys& keys,
                            http::Request& request) {
  std::exception_ptr failure;
  try {
    if (!is_open(request.path)) request.principal = keys.tenant_of(request);
    co_return co_await router.dispatch(request);
  } catch (...) {
    failure = std::current_exception();
  }
  co_return error_reply(failure, request);
}

}  // namespace

http::Handler make_handler(const http::Router& router, const ApiKeys& keys) {
  return [&router, &keys](http::Request& request) { return handle(router, keys, request); };
}

http::RequestObserver make_access_log(double sample) {
  return [sample](const http::Request& request, int status, std::chrono::nanoseconds duration) {
    if (sample <= 0) return;
    if (sample < 1) {
      thread_local std::minstd_rand random{std::random_device{}()};
      if (std::generate_canonical<double, 32>(random) >= sample) return;
    }
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(duration);
    log::write_soon(log::Level::info, "request",
                    {{"request_id", request.id},
                     {"method", to_string(request.method)},
                     {"path", http::printable(request.path)},
                     {"status", status},
                     {"duration_us", micros.count()},
                     {"tenant", request.principal}});
  };
}

}  // namespace maas::api
