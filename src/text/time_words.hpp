// Used by text/ alone: the words of English time expressions.
#pragma once

#include <cstdint>
#include <string_view>

namespace maas::text {

enum class TimeWord : std::uint8_t {
  none,
  weekday,
  month,          // "january"
  month_or_name,  // "april", "may": a month only where something says so
  short_month,    // "jan"
  short_weekday,  // "mon", written so with a capital only
  day,            // "yesterday": says when by itself
  ago,
  unit,         // "week", "summer": what "last" and "next" stand before
  pointer,      // "last", "next"
  number,       // "two", "few": how many units
  preposition,  // "in", "since": what stands before months, years and spans
  clock,        // "pm": what stands behind an hour
};

// What a folded word is in a time expression.
TimeWord time_word(std::string_view word);

// The number of a month from its name or a beginning of it, 1 to 12; 0 if `word` is none.
int month_number(std::string_view word);

}  // namespace maas::text
