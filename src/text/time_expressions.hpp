#pragma once

#include <optional>
#include <string_view>

namespace maas::text {

// Word lists are English; in other languages nothing is found, except ISO dates and years.

// Whether a question asks for a time: "when", "how long", "which year", "what date".
bool asks_for_time(std::string_view question);

// Whether a text says when: a weekday, a month, a date, "yesterday", "last week", "two years ago".
bool tells_time(std::string_view text);

// A day or a month that a text names: "8 May 2023", "May 8th", "2023-05-08", "in May", "May 2023".
struct NamedDate {
  std::optional<int> year = {};
  int month = 1;                // 1 to 12
  std::optional<int> day = {};  // nullopt: the whole month
  bool operator==(const NamedDate&) const = default;
};

// The first date that `text` names; a month alone only where it can't be another word: "in April",
// not "April said"; in lower case "march" and "may" only behind "in" or "since". None: impossible
// dates, and "5/8/2023", which is a day in May or in August.
std::optional<NamedDate> date_in(std::string_view text);

}  // namespace maas::text
