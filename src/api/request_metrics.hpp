#pragma once

#include "http/types.hpp"

#include <chrono>

namespace maas::api {

// Counts a request as being answered for as long as it lives.
class ActiveRequest {
 public:
  explicit ActiveRequest(http::Method method);
  ActiveRequest(const ActiveRequest&) = delete;
  ~ActiveRequest();

 private:
  http::Method method_;
};

// Counts a request that was answered: by its route, never by its path.
void count_request(const http::Request& request, int status, std::chrono::nanoseconds duration);

}  // namespace maas::api
