#include "api/errors.hpp"

#include "api/fields.hpp"
#include "api/request_trace.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

#include <boost/json/serialize.hpp>

namespace maas::api {
namespace {

namespace json = boost::json;

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return 422;
    case Errc::bad_request:
      return 400;
    case Errc::unauthenticated:
      return 401;
    case Errc::forbidden:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::conflict:
      return 409;
    case Errc::too_large:
      return 413;
    case Errc::rate_limited:
      return 429;
    case Errc::upstream_failed:
      return 502;
    case Errc::unavailable:
      return 503;
    case Errc::deadline_exceeded:
      return 504;
    case Errc::internal:
      return 500;
  }
  return 500;
}

void log_failure(const http::Request& request, int status, std::string_view error,
                 std::string_view detail) {
  const SpanIds ids = span_ids(request);
  log::write(status == 500 ? log::Level::error : log::Level::warn, "a request failed",
             {{"request_id", request.id},
              {"trace_id", ids.trace},
              {"span_id", ids.span},
              {"method", to_string(request.method)},
              {"route", request.route},
              {"status", status},
              {"error", error},
              {"detail", detail}});
}

constexpr std::string_view kInternalError = "Internal Server Error";

// The status of an error and the text that a client may read; logs what that leaves out.
std::pair<int, std::string_view> public_form(const Error& error, const http::Request& request) {
  const int status = status_of(error.code());
  if (status >= 500) log_failure(request, status, error.what(), error.detail());
  return {status, status == 500 ? kInternalError : error.what()};
}

http::Response validation_reply(const ValidationError& error) {
  json::array detail;
  for (const FieldError& field : error.errors()) {
    json::object entry{{"type", field.type},
                       {"loc", field.location},
                       {"msg", field.message},
                       {"input", field.input}};
    if (field.context) entry.emplace("ctx", *field.context);
    detail.push_back(std::move(entry));
  }
  return {.status = 422, .body = json::serialize(json::object{{"detail", std::move(detail)}})};
}

}  // namespace

http::Response error_reply(std::exception_ptr failure, const http::Request& request) {
  try {
    std::rethrow_exception(failure);
  } catch (const ValidationError& error) {
    return validation_reply(error);
  } catch (const UnsupportedMediaType& error) {
    return http::error_response(415, error.what());
  } catch (const Error& error) {
    const auto [status, text] = public_form(error, request);
    http::Response response = http::error_response(status, text);
    if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
  } catch (const std::exception& error) {
    log_failure(request, 500, "an unexpected exception", error.what());
  }
  return http::error_response(500, kInternalError);
}

std::string error_text(std::exception_ptr failure, const http::Request& request) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return std::string(public_form(error, request).second);
  }
}

}  // namespace maas::api
