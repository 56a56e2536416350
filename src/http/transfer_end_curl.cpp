#include "http/transfer_end.hpp"
#include "http/url.hpp"

#include <curl/curl.h>

namespace maas::http {
namespace {

constexpr unsigned kNoTunnel = 300;  // a proxy's status from which there is none

TransferEnd end_of(CURLcode code, bool request_was_sent) {
  switch (code) {
    case CURLE_OK:
      return TransferEnd::reply;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return TransferEnd::cut;
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
      return TransferEnd::refused;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_OPERATION_TIMEDOUT:  // the one for connecting
      return TransferEnd::unreachable;
    case CURLE_UNSUPPORTED_PROTOCOL:  // the URL's, or that of the reply
      return request_was_sent ? TransferEnd::unreadable : TransferEnd::refused;
    default:
      return request_was_sent ? TransferEnd::unreadable : TransferEnd::unreachable;
  }
}

unsigned number(CURL* easy, CURLINFO what) {
  long value = 0;
  curl_easy_getinfo(easy, what, &value);
  return static_cast<unsigned>(value);
}

// What libcurl says about a failure; in general terms where it might quote a URL, such as that of a
// proxy with its password.
std::string detail_of(CURLcode code, std::string_view text) {
  if (text.empty() || text.find_first_of("@?") != text.npos || text.find("//") != text.npos) {
    text = curl_easy_strerror(code);
  }
  return printable(text);
}

}  // namespace

void tell_end(Transfer& transfer, void* easy, int code, std::string_view error_text) {
  const auto ended = static_cast<CURLcode>(code);
  transfer.end = end_of(ended, number(easy, CURLINFO_REQUEST_SIZE) > 0);
  transfer.reply.status = number(easy, CURLINFO_RESPONSE_CODE);
  if (transfer.end == TransferEnd::reply) return;
  transfer.detail = detail_of(ended, error_text);
  const unsigned of_proxy = number(easy, CURLINFO_HTTP_CONNECTCODE);
  if (of_proxy < kNoTunnel) return;
  transfer.end = TransferEnd::proxy_refused;
  transfer.reply.status = of_proxy;
}

}  // namespace maas::http
