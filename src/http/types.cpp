#include "http/types.hpp"

#include "core/json_text.hpp"

#include <boost/beast/core/string.hpp>

#include <cassert>

namespace maas::http {

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      return "_OTHER";
  }
  return "_OTHER";
}

std::string_view Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (boost::beast::iequals(header.name, name)) return header.value;
  }
  return {};
}

std::vector<std::string_view> Request::header_values(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Header& header : headers) {
    if (boost::beast::iequals(header.name, name)) values.push_back(header.value);
  }
  return values;
}

const std::string& Request::path_parameter(std::string_view name) const {
  for (const auto& [key, value] : path_parameters) {
    if (key == name) return value;
  }
  assert(false && "the route has no such parameter");
  static const std::string none;
  return none;
}

std::optional<std::string_view> Request::query_parameter(std::string_view name) const {
  for (auto it = query.rbegin(); it != query.rend(); ++it) {
    if (it->first == name) return it->second;
  }
  return std::nullopt;
}

Response error_response(int status, std::string_view detail) {
  std::string body = R"({"detail":)";
  append_json(body, detail);
  body += '}';
  return {.status = status, .body = std::move(body)};
}

}  // namespace maas::http
