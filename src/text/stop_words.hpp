#pragma once

#include "text/words.hpp"

#include <span>
#include <string_view>

namespace maas::text {

// Whether a folded word (words.hpp), not its stem, says next to nothing alone: "the", "don't". Also
// what is left of a contraction that was cut at its apostrophe, where that is no other word
// ("didn", "ve"). A language without a list has no stop words.
bool is_stop_word(std::string_view word, std::string_view language = kEnglish);

// All of them, sorted, for who asks about many words of one language.
std::span<const std::string_view> stop_words(std::string_view language);

}  // namespace maas::text
