#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace maas::text {

// All functions here are thread-safe and take time linear in the text, whatever it holds.

inline constexpr std::size_t kLongestWord = 256;  // bytes
inline constexpr std::string_view kEnglish = "english";

// A word where it stands in its text.
struct Word {
  std::string_view written;  // as it stands there; a view into the text
  std::string folded;        // NFKC, case folded, ’ as ': the form in which words are compared
  bool capitalized = false;  // begins with an upper- or titlecase letter
  bool has_digit = false;
};

// The words of `text`, which is shorter than 2 GiB, by Unicode's word boundaries (UAX 29), those of
// scripts without spaces by dictionary. Punctuation, symbols and emoji are no words; "don't",
// "1,250.50", "main.py", "user_id" and "jo@x.org" are one each. Of a word beyond kLongestWord only
// the beginning is folded.
std::vector<Word> words(std::string_view text);

// The stem of a folded word by Snowball's stemmer of `language`, its English name or ISO 639 code
// ("english", "de"). A language without a stemmer leaves words as they are, and so does every
// language a word beyond kLongestWord.
std::string stem(std::string_view word, std::string_view language = kEnglish);

}  // namespace maas::text
