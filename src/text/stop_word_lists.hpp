// Used by text/ alone: the function words of other languages than English.
#pragma once

#include <span>
#include <string_view>

namespace maas::text {

struct StopWordList {
  std::string_view language;                // Snowball's name
  std::span<const std::string_view> words;  // folded, sorted
};

std::span<const StopWordList> foreign_stop_words();

}  // namespace maas::text
