// core: the vocabulary that all folders share. No I/O but the log.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace maas {

// What kind of failure it is; api/errors.cpp maps each to one HTTP status.
enum class Errc {
  invalid_argument,
  bad_request,
  unauthenticated,
  forbidden,
  not_found,
  conflict,
  too_large,
  rate_limited,
  upstream_failed,
  unavailable,
  deadline_exceeded,
  internal,
};

std::string_view to_string(Errc code);

// A failure that is thrown where it is understood and caught where something can be done about it.
// what() is for the client and says what to do; detail() goes to the log and the span only, and may
// hold what a driver's library said. Neither ever holds a secret.
class Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message, std::string detail = {})
      : std::runtime_error(message), code_(code), detail_(std::move(detail)) {}

  Errc code() const { return code_; }
  const std::string& detail() const { return detail_; }

 private:
  Errc code_;
  std::string detail_;
};

}  // namespace maas
