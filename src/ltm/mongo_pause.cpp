#include "ltm/mongo_pause.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>

namespace maas::ltm {

void pause_after(int attempt) {
  constexpr std::int64_t kLongest = 40;  // ms
  thread_local std::minstd_rand random{std::random_device()()};
  const auto longest = std::min<std::int64_t>(kLongest, 1ll << std::min(attempt, 10));
  std::this_thread::sleep_for(std::chrono::microseconds(
      std::uniform_int_distribution<std::int64_t>(0, 1'000 * longest)(random)));
}

}  // namespace maas::ltm
