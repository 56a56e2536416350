// Used by text/ alone: emoji as words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace maas::text {

// Appends the emoji in `symbols`, which is what stands between two words: each as a reader sees it
// (families, flags and skin tones are one), without variation selectors, which people's keyboards
// set or leave out. Of one beyond kLongestWord only the beginning is kept.
void append_emoji(std::string_view symbols, std::vector<std::string>& found);

// The emoji in its neutral colour.
std::string without_skin_tones(std::string_view emoji);

}  // namespace maas::text
