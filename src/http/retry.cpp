#include "http/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace maas::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr milliseconds kFirstInterval{250};
constexpr milliseconds kLongestInterval{8000};
constexpr milliseconds kNever = std::chrono::hours(24 * 365);  // far past every deadline

// A count of `unit`, which providers also write with a fraction; nullopt: none above zero.
std::optional<milliseconds> count_of(std::string_view text, milliseconds unit) {
  double count = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  if (error == std::errc::result_out_of_range) return kNever;
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(count) || count <= 0) return std::nullopt;
  const double time = std::ceil(count * static_cast<double>(unit.count()));
  return milliseconds(
      static_cast<milliseconds::rep>(std::min(time, static_cast<double>(kNever.count()))));
}

// RFC 9110, 5.6.7: the form of today and the two obsolete ones.
std::optional<system_clock::time_point> http_date(std::string_view text) {
  const std::string terminated(text);
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = strptime(terminated.c_str(), form, &parts);
    if (end && *end == '\0') return system_clock::from_time_t(timegm(&parts));
  }
  return std::nullopt;
}

std::optional<milliseconds> wished_pause(const FailedAttempt& failed,
                                         system_clock::time_point now) {
  if (const auto time = count_of(failed.retry_after_ms, milliseconds(1))) return time;
  if (const auto time = count_of(failed.retry_after, std::chrono::seconds(1))) return time;
  const auto date = http_date(failed.retry_after);
  if (!date || *date <= now) return std::nullopt;
  return std::chrono::ceil<milliseconds>(*date - now);
}

}  // namespace

bool may_pass(unsigned status) {
  return status == 408 || status == 409 || status == 429 || (status >= 500 && status <= 599);
}

std::optional<milliseconds> pause_before_retry(const FailedAttempt& failed, unsigned max_retries,
                                               milliseconds time_left, system_clock::time_point now,
                                               double random) {
  if (failed.attempt > max_retries) return std::nullopt;
  if (failed.status != 0 && !may_pass(failed.status)) return std::nullopt;
  auto pause = wished_pause(failed, now);
  if (!pause) {
    const unsigned doublings = std::min(failed.attempt - 1, 16U);  // enough for the longest
    const milliseconds interval = std::min(kFirstInterval * (1 << doublings), kLongestInterval);
    pause = milliseconds(
        static_cast<milliseconds::rep>(static_cast<double>(interval.count()) * random));
  }
  if (*pause >= time_left) return std::nullopt;
  return pause;
}

}  // namespace maas::http
