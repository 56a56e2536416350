#pragma once

#include "http/types.hpp"

#include <exception>
#include <string>

namespace maas::api {

// The one place where a failure becomes a reply. Logs what the client must not see.
http::Response error_reply(std::exception_ptr failure, const http::Request& request);

// The same for one item of a batch: what the client may read of an Error.
std::string error_text(std::exception_ptr failure, const http::Request& request);

}  // namespace maas::api
