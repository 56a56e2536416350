#pragma once

#include "text/words.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::text {

// How search sees a text: its words that say something, their stems, and the character 4-grams of
// its words. All functions are thread-safe and take time linear in the text (and the logarithm of
// its number of words), whatever it holds.

// A term is known by a hash of 63 bits, the 64th tells words from 4-grams: an index of a million
// distinct terms has a chance of 1 in 18 million to mistake one for another, and needs no memory
// for their text.
using Term = std::uint64_t;

struct TermCount {
  Term term = 0;
  std::uint32_t count = 0;
  bool operator==(const TermCount&) const = default;
};

// The folded words of `text` in order, without the stop words of `language` and without what
// follows an apostrophe ("Caroline's" is "caroline"), or what an apostrophe cut short ("l'homme" is
// "homme", "O'Brien" "brien"). A text of nothing but stop words keeps them, so that it can be
// found. Words of scripts without spaces (Chinese, Japanese, Thai) are dictionary words; each run
// of Han characters and Kana also gives its character bigrams. An emoji is a word. A word with full
// stops, underscores or @ in it is followed by its parts ("main.py", "main", "py").
std::vector<std::string> content_words(std::string_view text, std::string_view language = kEnglish);

// The base of a content word: irregular English forms to their base ("went" is "go", "children"
// "child"), then Snowball's stem; an emoji without skin tones.
std::string base_form(std::string_view word, std::string_view language = kEnglish);

// Hash of a base form, and of a 4-gram; never the same for both.
Term word_term(std::string_view base_form);
Term gram_term(std::string_view four_characters);

// The distinct terms of content words with their counts, sorted by term: of their base forms, and
// of the 4-grams (in characters) of "#word#"; a shorter one is one gram.
std::vector<TermCount> word_terms(std::span<const std::string> content_words,
                                  std::string_view language = kEnglish);
std::vector<TermCount> gram_terms(std::span<const std::string> content_words);

}  // namespace maas::text
