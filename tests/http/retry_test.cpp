#include "http/retry.hpp"

#include <gtest/gtest.h>

namespace maas::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// 2026-01-02 03:04:05 UTC, a Friday.
constexpr std::chrono::sys_seconds kNow =
    std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h + 4min + 5s;

struct Case {
  FailedAttempt failed = {};
  std::optional<milliseconds> expected = {};
  milliseconds time_left = 60s;
  double random = 0.5;
};

TEST(PauseBeforeRetry, FollowsTheTable) {
  const std::vector<Case> table{
      // No reply came.
      {.failed = {.attempt = 1}, .expected = 125ms},
      {.failed = {.attempt = 2}, .expected = 250ms},
      {.failed = {.attempt = 3}, .expected = 500ms},
      {.failed = {.attempt = 6}, .expected = 4000ms},
      {.failed = {.attempt = 7}, .expected = 4000ms},
      {.failed = {.attempt = 99}, .expected = 4000ms},
      {.failed = {.attempt = 100}, .expected = std::nullopt},
      // The whole interval is drawn from.
      {.failed = {.attempt = 1}, .expected = 0ms, .random = 0},
      {.failed = {.attempt = 1}, .expected = 249ms, .random = 0.999},
      // Statuses.
      {.failed = {.status = 200}, .expected = std::nullopt},
      {.failed = {.status = 400}, .expected = std::nullopt},
      {.failed = {.status = 401}, .expected = std::nullopt},
      {.failed = {.status = 404}, .expected = std::nullopt},
      {.failed = {.status = 408}, .expected = 125ms},
      {.failed = {.status = 409}, .expected = 125ms},
      {.failed = {.status = 429}, .expected = 125ms},
      {.failed = {.status = 500}, .expected = 125ms},
      {.failed = {.status = 599}, .expected = 125ms},
      {.failed = {.status = 600}, .expected = std::nullopt},
      // What the upstream wishes.
      {.failed = {.status = 429, .retry_after = "3"}, .expected = 3s},
      {.failed = {.status = 429, .retry_after = "0.0015"}, .expected = 2ms},
      {.failed = {.status = 503, .retry_after = "Fri, 02 Jan 2026 03:04:15 GMT"}, .expected = 10s},
      {.failed = {.status = 503, .retry_after = "Friday, 02-Jan-26 03:04:15 GMT"}, .expected = 10s},
      {.failed = {.status = 503, .retry_after = "Fri Jan  2 03:04:15 2026"}, .expected = 10s},
      {.failed = {.status = 429, .retry_after = "3", .retry_after_ms = "70"}, .expected = 70ms},
      {.failed = {.status = 429, .retry_after_ms = "70.5"}, .expected = 71ms},
      {.failed = {.status = 429, .retry_after = "3", .retry_after_ms = "x"}, .expected = 3s},
      {.failed = {.status = 400, .retry_after = "3"}, .expected = std::nullopt},
      // No wish for a pause.
      {.failed = {.status = 429, .retry_after = "0"}, .expected = 125ms},
      {.failed = {.status = 429, .retry_after = "-5"}, .expected = 125ms},
      {.failed = {.status = 429, .retry_after = "3 s"}, .expected = 125ms},
      {.failed = {.status = 429, .retry_after = "nan"}, .expected = 125ms},
      {.failed = {.status = 429, .retry_after = "inf"}, .expected = 125ms},
      {.failed = {.status = 429, .retry_after = "soon"}, .expected = 125ms},
      {.failed = {.status = 429, .retry_after = "Fri, 02 Jan 2026 03:04:05 GMT"},
       .expected = 125ms},
      {.failed = {.status = 429, .retry_after = "Thu, 01 Jan 1970 00:00:00 GMT"},
       .expected = 125ms},
      // Time that is left.
      {.failed = {.status = 429, .retry_after = "3"}, .expected = 3s, .time_left = 3001ms},
      {.failed = {.status = 429, .retry_after = "3"}, .expected = std::nullopt, .time_left = 3s},
      {.failed = {.status = 429, .retry_after = "99999999999999999999999999"},
       .expected = std::nullopt},
      {.failed = {.attempt = 1}, .expected = std::nullopt, .time_left = 125ms},
      {.failed = {.attempt = 1}, .expected = std::nullopt, .time_left = -1ms, .random = 0},
  };
  for (const Case& each : table) {
    EXPECT_EQ(pause_before_retry(each.failed, 99, each.time_left, kNow, each.random), each.expected)
        << "attempt " << each.failed.attempt << ", status " << each.failed.status
        << ", Retry-After " << each.failed.retry_after << each.failed.retry_after_ms;
  }
}

TEST(PauseBeforeRetry, CanBeForbidden) {
  EXPECT_EQ(pause_before_retry({.attempt = 1}, 0, 60s, kNow, 0.5), std::nullopt);
  EXPECT_EQ(pause_before_retry({.attempt = 2}, 2, 60s, kNow, 0.5), 250ms);
  EXPECT_EQ(pause_before_retry({.attempt = 3}, 2, 60s, kNow, 0.5), std::nullopt);
}

}  // namespace
}  // namespace maas::http
