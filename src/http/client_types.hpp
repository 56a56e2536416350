#pragma once

#include "http/types.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::http {

// What a client asks an upstream.
struct ClientRequest {
  Method method = Method::post;  // get or post
  std::string url = {};          // http or https; may hold secrets, and is never logged
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};  // of a post
};

// The request's headers as libcurl wants them, "Name: value", or "Name;" for an empty one. Throws
// Error{internal} for what would be more than one header: whoever can set a value, such as a key,
// must not be able to add others.
std::vector<std::string> header_lines(const ClientRequest& request);

// What an upstream answered, of whatever status.
struct ClientReply {
  unsigned status = 0;
  std::string head = {};  // the lines of its headers, trailers too, as they came
  std::string body = {};  // decoded
  unsigned attempts = 1;  // how often the upstream was asked

  // The value of the first header of that name, in any case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

}  // namespace maas::http
