#pragma once

#include "http/client_types.hpp"

#include <string>
#include <string_view>

namespace maas::http {

// How one exchange with an upstream ended.
enum class TransferEnd {
  reply,        // whole, of whatever status
  deadline,     // it passed before that
  unreachable,  // no connection: address, network, TLS
  refused,      // no connection, for a reason that does not pass: a certificate or URL is not valid
  proxy_refused,  // by the proxy that the environment names
  cut,            // the connection was lost before the reply was whole
  unreadable,     // what came is no HTTP, or not in the encoding that it claims
  too_large,      // the reply is over the limit
};

struct Transfer {
  TransferEnd end = TransferEnd::unreachable;
  std::string detail = {};  // why there is no reply; holds no part of URL, headers or bodies
  ClientReply reply = {};   // if there is one; of a proxy that refused its status
};

// Fills in end, detail and the reply's status, by what libcurl says of an exchange that it has
// ended: its handle (a CURL*), the code (a CURLcode) and the text of the error.
void tell_end(Transfer& transfer, void* easy, int code, std::string_view error_text);

}  // namespace maas::http
