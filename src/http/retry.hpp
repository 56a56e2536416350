#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace maas::http {

// An attempt that may be made again, and what is known about it.
struct FailedAttempt {
  unsigned attempt = 1;                  // which one it was, from 1
  unsigned status = 0;                   // of the reply; 0: none came, for a reason that may pass
  std::string_view retry_after = {};     // the header's value: seconds, or a date of HTTP
  std::string_view retry_after_ms = {};  // the header's value: milliseconds; comes first
};

// True for what may be gone next time: 408, 409, 429 and 5xx.
bool may_pass(unsigned status);

// How long to pause before the next attempt; nullopt: none is to be made, since the failure is
// final, `max_retries` are used up, or the pause would last `time_left` or longer. An upstream's
// wish for a pause counts, if it is one for the future; else the pause is drawn from an interval
// that doubles with each attempt. `random` is in [0, 1).
std::optional<std::chrono::milliseconds> pause_before_retry(
    const FailedAttempt& failed, unsigned max_retries, std::chrono::milliseconds time_left,
    std::chrono::system_clock::time_point now, double random);

}  // namespace maas::http
