#pragma once

#include "http/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::http {

// The bytes of a whole reply: head and body in one buffer, so that one write sends it.
struct ReplyForm {
  bool http10 = false;
  bool keep_alive = true;
  bool head_only = false;  // an answer to HEAD: all headers, no body
};
std::string serialize_reply(const Response& response, std::string_view request_id, ReplyForm form);

// The answer to a CORS preflight; nullopt if the request is none or CORS is off.
std::optional<Response> preflight_response(const Request& request,
                                           const std::vector<std::string>& origins);

// What a browser must see to hand the reply to a page of one of `origins`; nothing for other
// origins.
void add_cors_headers(const Request& request, const std::vector<std::string>& origins,
                      Response& response);

}  // namespace maas::http
