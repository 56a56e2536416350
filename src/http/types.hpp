// http: a small HTTP/1.1 library that has never heard of memory.
#pragma once

#include "core/task.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::http {

enum class Method { get, head, post, put, patch, delete_, options, other };

std::string_view to_string(Method method);

struct Header {
  std::string_view name;
  std::string_view value;
};

// What a layer above keeps with a request.
class Attachment {
 public:
  virtual ~Attachment() = default;
};

// One request. Views point into the connection's memory and live as long as the handler runs.
struct Request {
  Method method = Method::get;
  std::string_view method_text;  // as sent; empty: the request never became whole enough to say
  std::string_view path;         // as sent, still percent-encoded, without the query
  std::string_view query_text;   // as sent, what follows the '?'
  std::vector<Header> headers;
  std::string_view body;
  std::vector<std::pair<std::string_view, std::string>> path_parameters;  // percent-decoded bytes
  std::vector<std::pair<std::string, std::string>> query;                 // percent-decoded bytes
  std::string_view route;  // the pattern that matched, "/stm/{session_id}"; empty: none
  std::string id;          // the caller's X-Request-ID if well-formed, else a new one
  std::string principal;   // who asks, once authentication has found out
  bool is_http10 = false;
  std::string_view peer_address;  // "127.0.0.1": of whoever opened the connection
  std::uint16_t peer_port = 0;
  std::chrono::steady_clock::time_point arrived;  // its first byte
  std::shared_ptr<Attachment> attachment;

  // The value of the first header of that name, in any case; empty if there is none.
  std::string_view header(std::string_view name) const;
  // The values of all headers of that name, in their order.
  std::vector<std::string_view> header_values(std::string_view name) const;
  // The parameter of the route's pattern; it must name one.
  const std::string& path_parameter(std::string_view name) const;
  // The last value given for `name`.
  std::optional<std::string_view> query_parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// {"detail": text}, the form of every error.
Response error_response(int status, std::string_view detail);

using Handler = std::function<Task<Response>(Request&)>;

}  // namespace maas::http
