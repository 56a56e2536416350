#include "stm/redis_url.hpp"

#include "core/error.hpp"
#include "http/url.hpp"

#include <charconv>

namespace maas::stm {
namespace {

[[noreturn]] void fail(const std::string& why) {
  throw Error(
      Errc::invalid_argument,
      "REDIS_URL " + why + "; its form is redis://[user][:password]@host[:port][/database]");
}

int number(std::string_view text, int largest, const std::string& what) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > largest) {
    fail("has a " + what + " that is not a number from 0 to " + std::to_string(largest));
  }
  return value;
}

std::string decoded(std::string_view text) {
  auto value = http::percent_decode(text);
  if (!value) fail("has malformed percent-encoding in its user or password");
  return *std::move(value);
}

}  // namespace

RedisUrl parse_redis_url(std::string_view url) {
  RedisUrl parsed;
  const std::size_t colon = url.find("://");
  if (colon == url.npos) fail("has no scheme such as redis://");
  const std::string_view scheme = url.substr(0, colon);
  if (scheme == "rediss") {
    parsed.tls = true;
  } else if (scheme == "unix") {
    fail("names a Unix socket, which is not supported");
  } else if (scheme.find("sentinel") != scheme.npos || scheme.find("cluster") != scheme.npos) {
    fail(
        "asks for Sentinel or Cluster, which are not supported: name one Redis server, or a proxy");
  } else if (scheme != "redis") {
    fail("has an unknown scheme");
  }
  url.remove_prefix(colon + 3);
  if (url.find_first_of("?#") != url.npos)
    fail("has options behind '?' or '#', which are not supported");

  if (const std::size_t slash = url.find('/', url.rfind('@') + 1); slash != url.npos) {
    const std::string_view database = url.substr(slash + 1);
    if (!database.empty()) parsed.database = number(database, 65535, "database");
    url = url.substr(0, slash);
  }
  if (const std::size_t at = url.rfind('@'); at != url.npos) {
    const std::string_view user = url.substr(0, at);
    const std::size_t separator = user.find(':');
    parsed.user = decoded(user.substr(0, separator));
    if (separator != user.npos) parsed.password = decoded(user.substr(separator + 1));
    url = url.substr(at + 1);
  }
  if (url.find(',') != url.npos) fail("names several servers, which is not supported");

  std::size_t port = url.rfind(':');
  if (url.starts_with('[')) {
    const std::size_t end = url.find(']');
    if (end == url.npos) fail("has a '[' without ']'");
    parsed.host = url.substr(1, end - 1);
    port = end + 1 < url.size() ? end + 1 : url.npos;
    if (port != url.npos && url[port] != ':') fail("has text behind the ']' of its host");
  } else {
    parsed.host = url.substr(0, port);
    if (parsed.host.find(':') != parsed.host.npos) fail("names an IPv6 address without brackets");
  }
  if (parsed.host.empty()) fail("names no host");
  if (port != url.npos) {
    parsed.port = std::to_string(number(url.substr(port + 1), 65535, "port"));
  }
  return parsed;
}

}  // namespace maas::stm
