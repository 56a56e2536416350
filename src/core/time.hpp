#pragma once

#include <chrono>

namespace maas {

// Microseconds since the epoch, UTC. What the API shows as seconds with a fraction.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

inline Timestamp now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace maas
