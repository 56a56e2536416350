#include "http/reply.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace maas::http {
namespace {

// The Date header's value (RFC 9110, 5.6.7), made once a second and thread.
std::string_view http_date() {
  thread_local std::time_t made_for = -1;
  thread_local std::array<char, 32> text{};
  const std::time_t second = std::time(nullptr);
  if (second != made_for) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_for = second;
  }
  return text.data();
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

bool has_body(int status) { return status != 204 && status != 304; }

bool origin_allowed(std::string_view origin, const std::vector<std::string>& origins) {
  return !origin.empty() && std::ranges::any_of(origins, [&](const std::string& allowed) {
    return allowed == "*" || allowed == origin;
  });
}

}  // namespace

std::string serialize_reply(const Response& response, std::string_view request_id, ReplyForm form) {
  std::string out;
  out.reserve(256 + response.body.size());
  out += form.http10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status));
  out += ' ';
  const auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(response.status)));
  out.append(reason.data(), reason.size());
  out += "\r\nDate: ";
  out += http_date();
  if (has_body(response.status)) {
    out += "\r\nContent-Type: ";
    out += response.content_type;
    out += "\r\nContent-Length: ";
    append_number(out, response.body.size());
  }
  out += "\r\nX-Request-ID: ";
  out += request_id;
  for (const auto& [name, value] : response.headers) {
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (!form.keep_alive) {
    out += "\r\nConnection: close";
  } else if (form.http10) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n\r\n";
  if (has_body(response.status) && !form.head_only) out += response.body;
  return out;
}

std::optional<Response> preflight_response(const Request& request,
                                           const std::vector<std::string>& origins) {
  if (origins.empty() || request.method != Method::options) return std::nullopt;
  if (request.header("Access-Control-Request-Method").empty()) return std::nullopt;
  Response response{.status = 204, .body = {}};
  if (origin_allowed(request.header("Origin"), origins)) {
    response.headers = {
        {"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS"},
        {"Access-Control-Allow-Headers", "Authorization, Content-Type, X-API-Key, X-Request-ID"},
        {"Access-Control-Max-Age", "600"}};
  }
  return response;
}

void add_cors_headers(const Request& request, const std::vector<std::string>& origins,
                      Response& response) {
  if (origins.empty()) return;
  const std::string_view origin = request.header("Origin");
  response.headers.emplace_back("Vary", "Origin");
  if (!origin_allowed(origin, origins)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", "X-Request-ID");
}

}  // namespace maas::http
