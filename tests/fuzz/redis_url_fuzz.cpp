// REDIS_URL: refused with a sentence, or taken apart so that putting it together means the same.
#include "core/error.hpp"
#include "fuzz/check.hpp"
#include "http/url.hpp"
#include "stm/redis_url.hpp"

#include <algorithm>
#include <span>

namespace maas::fuzz {
namespace {

std::string written(const stm::RedisUrl& url) {
  std::string text = url.tls ? "rediss://" : "redis://";
  text += http::percent_encode(url.user) + ':' + http::percent_encode(url.password) + '@';
  text += url.host.find(':') == url.host.npos ? url.host : '[' + url.host + ']';
  return text + ':' + url.port + '/' + std::to_string(url.database);
}

void check_same(const stm::RedisUrl& a, const stm::RedisUrl& b) {
  check(a.tls == b.tls, "same scheme");
  check(a.user == b.user && a.password == b.password, "same credentials");
  check(a.host == b.host && a.port == b.port, "same server");
  check(a.database == b.database, "same database");
}

void check_url(std::string_view text) {
  try {
    const stm::RedisUrl url = stm::parse_redis_url(text);
    check(!url.host.empty(), "a URL names a host");
    check(std::ranges::all_of(url.port, [](char c) { return c >= '0' && c <= '9'; }),
          "a port is a number");
    check(url.host.find(':') == url.host.npos || text.find('[') != text.npos,
          "an IPv6 address stands in brackets");
    check_same(stm::parse_redis_url(written(url)), url);
  } catch (const Error& error) {
    check(error.code() == Errc::invalid_argument, "a malformed URL is an invalid argument");
  }
}

// What is wrong is said without a byte of the URL, which may be one of the password.
void check_secrecy(std::string_view text) {
  std::string changed(text);
  const auto says = [](std::string_view url) -> std::string {
    try {
      stm::parse_redis_url(url);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  // Letters that no part of a URL is told by.
  const auto from = std::min(text.find("://"), text.size());
  for (char& c : std::span(changed).subspan(from)) {
    if (c >= 'g' && c <= 'z') c = 'y';
  }
  check(says(text) == says(changed), "an error does not depend on letters of the URL");
}

}  // namespace
}  // namespace maas::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text = maas::fuzz::text_of(data, size);
  maas::fuzz::check_url(text);
  maas::fuzz::check_secrecy(text);
  return 0;
}
