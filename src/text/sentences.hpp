#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace maas::text {

// All functions here are thread-safe, take time linear in the text whatever it holds, and return
// views into it. A text is shorter than 2 GiB.

inline constexpr std::size_t kLongestSentence = 400;  // bytes, about 100 tokens of English

// The sentences of `text` (UAX 29, with English abbreviations), without the white space around
// them; none is empty. A line break ends a sentence too, so lists, tables and code come line by
// line; the number of a list item stays with its item, a URL stays whole. What is longer than
// `max_bytes` comes in several pieces, cut as by prefix_at_word.
std::vector<std::string_view> sentences(std::string_view text,
                                        std::size_t max_bytes = kLongestSentence);

// The longest beginning of `text` within `max_bytes` that ends at a space; where that would give
// away more than half, one that ends where a word does; else one that ends between two characters.
// Empty only if `text` is, or if its first code point is longer than `max_bytes`.
std::string_view prefix_at_word(std::string_view text, std::size_t max_bytes);

// `text` without the white space (Unicode's) at both ends.
std::string_view trim(std::string_view text);

}  // namespace maas::text
