#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace maas::stm {

// The parts of redis://[user][:password]@host[:port][/database]; rediss:// means TLS.
struct RedisUrl {
  bool tls = false;
  std::string user;      // decoded; empty: Redis' default user
  std::string password;  // decoded; empty: none
  std::string host;
  std::string port = "6379";
  int database = 0;
};

// Throws Error{invalid_argument} with a sentence about what is wrong or not supported; it never
// repeats the user or the password.
RedisUrl parse_redis_url(std::string_view url);

}  // namespace maas::stm
