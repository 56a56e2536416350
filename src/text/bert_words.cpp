#include "text/bert_words.hpp"

#include "text/boundaries.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace maas::text {
namespace {

// The reference's table of categories is that of Unicode 8: what was assigned later has none there,
// and these had another one.
constexpr std::uint8_t kUnicodeVersion = 8;

int category(UChar32 c) {
  switch (c) {
    case 0x166D:
    case 0x111C9:
      return U_OTHER_PUNCTUATION;
    case 0x1734:
      return U_NON_SPACING_MARK;
    case 0x1885:
    case 0x1886:
      return U_OTHER_LETTER;
    case 0xA9BD:
      return U_COMBINING_SPACING_MARK;
    default:
      break;
  }
  UVersionInfo age;
  u_charAge(c, age);
  return age[0] > kUnicodeVersion ? static_cast<int>(U_UNASSIGNED) : u_charType(c);
}

bool is_ideograph(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_dropped(UChar32 c) {
  if (c <= 0 || c == 0xFFFD) return true;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  switch (category(c)) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_PRIVATE_USE_CHAR:
    case U_SURROGATE:
      return true;
    default:
      return false;
  }
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return is_ascii_punctuation(c);
  switch (category(static_cast<UChar32>(c))) {
    case U_DASH_PUNCTUATION:
    case U_START_PUNCTUATION:
    case U_END_PUNCTUATION:
    case U_CONNECTOR_PUNCTUATION:
    case U_OTHER_PUNCTUATION:
    case U_INITIAL_PUNCTUATION:
    case U_FINAL_PUNCTUATION:
      return true;
    default:
      return false;
  }
}

const icu::Normalizer2& decomposition() {
  static const icu::Normalizer2* const normalizer = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
    check_icu(status, "decomposition");
    return nfd;
  }();
  return *normalizer;
}

}  // namespace

// Puts what the next code point becomes into symbols_; false at the end of the text. Code point by
// code point, for canonical reordering could only move marks that are dropped here, or that no
// vocabulary knows and that make their word unknown wherever they stand.
bool BertWords::expand() {
  if (at_ == text_.size()) return false;
  symbol_ = symbol_count_ = 0;
  UChar32 c = 0;
  U8_NEXT(text_.data(), at_, text_.size(), c);
  if (c >= 0x20 && c < 0x7F) {
    add_part(static_cast<char32_t>(c));
    return true;
  }
  if (c < 0 || (rules_.clean_text && is_dropped(c))) return true;
  if (u_isUWhiteSpace(c)) {
    add(' ');
    return true;
  }
  const bool alone = rules_.handle_chinese_chars && is_ideograph(c);
  if (alone) add(' ');
  icu::UnicodeString parts;
  if (!rules_.strip_accents || !decomposition().getDecomposition(c, parts)) parts.setTo(c);
  for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
    const UChar32 part = parts.char32At(i);
    if (rules_.strip_accents && category(part) == U_NON_SPACING_MARK) continue;
    add_part(static_cast<char32_t>(part));
  }
  if (alone) add(' ');
  return true;
}

void BertWords::add_part(char32_t part) {
  if (!rules_.lowercase) return add(part);
  if (part < 0x80) return add(part >= 'A' && part <= 'Z' ? part - 'A' + 'a' : part);
  add(static_cast<char32_t>(u_tolower(static_cast<UChar32>(part))));
  // The one letter whose lower case is two code points: it is an i that keeps its dot.
  if (part == 0x130) add(0x307);
}

void BertWords::append(char32_t symbol) {
  if (length_ > rules_.longest_word) return;
  char bytes[U8_MAX_LENGTH];
  std::size_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, symbol);
  word_.append(bytes, size);
  ++length_;
}

std::optional<std::string_view> BertWords::next() {
  word_.clear();
  length_ = 0;
  while (symbol_ < symbol_count_ || expand()) {
    if (symbol_ == symbol_count_) continue;  // the code point came to nothing
    const char32_t symbol = symbols_[symbol_];
    const bool alone = is_punctuation(symbol);
    if (alone && length_ > 0) return word_;
    ++symbol_;
    if (symbol != ' ') append(symbol);
    if (alone || (symbol == ' ' && length_ > 0)) return word_;
  }
  if (length_ == 0) return std::nullopt;
  return word_;
}

}  // namespace maas::text
