#pragma once

#include "core/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace maas {

// A time as ISO 8601 writes it: "2026-01-02T03:04:05.678901+01:00", also "Z" or no offset (both:
// UTC), "+0100" or "+01", a space for the T, a comma for the point, no seconds, or a date alone
// (midnight). Of a fraction's digits, nine at most, six count. nullopt: no such text, or no such
// time; 23:59:60 is none, nor what is outside the years 1 to 9999 in UTC.
std::optional<Timestamp> parse_time(std::string_view text);

// In UTC: "2026-01-02T02:04:05.678901+00:00"; the fraction is left out if it is zero.
std::string format_time(Timestamp time);

}  // namespace maas
