#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace maas::text {

// A longer word is no word of a BERT model's vocabulary: code points.
inline constexpr std::size_t kLongestBertWord = 100;

// The words of a text as the tokenizers of the uncased BERT models take them (clean_text,
// handle_chinese_chars, strip_accents and lowercase of Hugging Face's BertNormalizer, then
// BertPreTokenizer): lower case, without accents, control characters and white space; each
// punctuation mark and each CJK ideograph a word of its own. Takes time linear in the text and
// reads no further than it is asked to.
class BertWords {
 public:
  // Borrows `text`; what is not UTF-8 in it is left out.
  explicit BertWords(std::string_view text) : text_(text) {}

  // The next word, a view that holds until the next call; nullopt after the last. Of one beyond
  // kLongestBertWord comes one code point more than that.
  std::optional<std::string_view> next();

 private:
  bool expand();
  void append(char32_t symbol);

  std::string_view text_;
  std::size_t at_ = 0;
  // What the code point before at_ became; the longest decomposition has four code points.
  std::array<char32_t, 8> symbols_{};
  std::size_t symbol_ = 0;
  std::size_t symbol_count_ = 0;
  std::string word_;
  std::size_t length_ = 0;  // of word_, in code points
};

}  // namespace maas::text
