#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace maas::http {

// The status with which a server answers GET `path`. Blocks. Throws Error{unavailable} when it does
// not answer within `timeout`.
int probe(const std::string& host, std::uint16_t port, const std::string& path,
          std::chrono::seconds timeout);

}  // namespace maas::http
