#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace maas::text {

// What a BERT model's tokenizer makes of a text, by the names of Hugging Face's BertNormalizer; as
// they are, those of the uncased models.
struct BertRules {
  bool clean_text = true;            // control characters go
  bool handle_chinese_chars = true;  // each CJK ideograph is a word of its own
  bool strip_accents = true;
  bool lowercase = true;
  std::size_t longest_word = 100;  // code points; a longer one is in no vocabulary
};

// The words of a text as BertNormalizer and then BertPreTokenizer take them: white space goes, each
// punctuation mark is a word of its own. Takes time linear in the text and reads no further than
// it is asked to.
class BertWords {
 public:
  // Borrows `text`; what is not UTF-8 in it is left out.
  explicit BertWords(std::string_view text, BertRules rules = {}) : text_(text), rules_(rules) {}

  // The next word, a view that holds until the next call; nullopt after the last. Of one beyond
  // the longest comes one code point more than that.
  std::optional<std::string_view> next();

 private:
  bool expand();
  void add(char32_t symbol) { symbols_[symbol_count_++] = symbol; }
  void add_part(char32_t part);
  void append(char32_t symbol);

  std::string_view text_;
  BertRules rules_;
  std::size_t at_ = 0;
  // What the code point before at_ became; the longest decomposition has four code points.
  std::array<char32_t, 8> symbols_{};
  std::size_t symbol_ = 0;
  std::size_t symbol_count_ = 0;
  std::string word_;
  std::size_t length_ = 0;  // of word_, in code points
};

}  // namespace maas::text
