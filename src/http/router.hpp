#pragma once

#include "http/types.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace maas::http {

// One table of method + path pattern -> handler. Built before serving, then read by all loops.
class Router {
 public:
  // A segment of `pattern` in braces takes any one non-empty segment: "/stm/{session_id}/messages".
  void add(Method method, std::string pattern, Handler handler);

  // Answers 404, 405 with Allow, and 400 for malformed percent-encoding itself; HEAD runs GET's
  // handler.
  Task<Response> dispatch(Request& request) const;

 private:
  struct Route {
    std::string pattern;
    std::vector<std::string_view> segments;  // of `pattern`
    std::vector<std::pair<Method, Handler>> handlers;
  };

  static bool matches(const Route& route, const std::vector<std::string_view>& segments);
  static std::string allowed_methods(const Route& route);

  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace maas::http
