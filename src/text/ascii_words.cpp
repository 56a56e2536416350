#include "text/ascii_words.hpp"

#include <algorithm>
#include <cstdint>

namespace maas::text {
namespace {

enum class Kind : std::uint8_t { other, letter, digit, underscore };

Kind kind_of(char c) {
  // CLDR makes @ a letter, so that addresses stay whole.
  if (is_ascii_letter(c) || c == '@') return Kind::letter;
  if (is_ascii_digit(c)) return Kind::digit;
  return c == '_' ? Kind::underscore : Kind::other;
}

// Whether `mark` joins what is left and right of it: rules WB6, WB7, WB11 and WB12 of UAX 29.
bool joins(Kind left, char mark, Kind right) {
  if (left != right) return false;
  if (mark == '.' || mark == '\'') return left == Kind::letter || left == Kind::digit;
  return (mark == ',' || mark == ';') && left == Kind::digit;
}

}  // namespace

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_ascii(c); });
}

std::size_t ascii_word_end(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t at = begin;
  Kind last = Kind::other;
  while (at < end) {
    const Kind kind = kind_of(text[at]);
    if (kind != Kind::other) {
      last = kind;
      ++at;
    } else if (at + 1 < end && joins(last, text[at], kind_of(text[at + 1]))) {
      ++at;
    } else {
      break;
    }
  }
  // One underscore alone is punctuation to ICU, several are a word.
  return at == begin + 1 && last == Kind::underscore ? begin : at;
}

}  // namespace maas::text
