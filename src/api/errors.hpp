#pragma once

#include "http/types.hpp"

#include <exception>

namespace maas::api {

// The one place where a failure becomes a reply. Logs what the client must not see.
http::Response error_reply(std::exception_ptr failure, const http::Request& request);

}  // namespace maas::api
