#include "text/emoji.hpp"

#include "text/ascii_words.hpp"
#include "text/boundaries.hpp"
#include "text/words.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstddef>

namespace maas::text {
namespace {

// Calls `visit` with the code points of `text` and where each begins, until it returns false.
template <class Visit>
void for_each_code_point(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    UChar32 code_point = 0;
    U8_NEXT(text.data(), at, text.size(), code_point);
    if (!visit(code_point, text.substr(begin, at - begin))) return;
  }
}

bool is_emoji(UChar32 code_point) {
  constexpr UChar32 kFirst = 0x2194;  // before it, digits and signs such as ©
  if (code_point < kFirst || !u_hasBinaryProperty(code_point, UCHAR_EMOJI)) return false;
  return u_charType(code_point) == U_OTHER_SYMBOL || u_charType(code_point) == U_MODIFIER_SYMBOL;
}

bool holds_emoji(std::string_view text) {
  bool found = false;
  for_each_code_point(text, [&](UChar32 code_point, std::string_view) {
    found = is_emoji(code_point);
    return !found;
  });
  return found;
}

bool is_variation_selector(UChar32 code_point) {
  return code_point == 0xFE0E || code_point == 0xFE0F;
}

std::string without_variation_selectors(std::string_view cluster) {
  std::string emoji;
  for_each_code_point(cluster, [&](UChar32 code_point, std::string_view bytes) {
    if (is_variation_selector(code_point)) return true;
    if (emoji.size() + bytes.size() > kLongestWord) return false;
    emoji += bytes;
    return true;
  });
  return emoji;
}

}  // namespace

void append_emoji(std::string_view symbols, std::vector<std::string>& found) {
  if (is_ascii(symbols) || !holds_emoji(symbols)) return;
  icu::BreakIterator& breaks = character_breaks(symbols);
  std::size_t begin = 0;
  for (auto at = breaks.next(); at != icu::BreakIterator::DONE; at = breaks.next()) {
    const auto end = static_cast<std::size_t>(at);
    const std::string_view cluster = symbols.substr(begin, end - begin);
    UChar32 first = 0;
    std::size_t next = 0;
    U8_NEXT(cluster.data(), next, cluster.size(), first);
    if (is_emoji(first)) found.push_back(without_variation_selectors(cluster));
    begin = end;
  }
}

std::string without_skin_tones(std::string_view emoji) {
  std::string neutral;
  for_each_code_point(emoji, [&](UChar32 code_point, std::string_view bytes) {
    // A skin tone alone stays.
    if (neutral.empty() || !u_hasBinaryProperty(code_point, UCHAR_EMOJI_MODIFIER)) neutral += bytes;
    return true;
  });
  return neutral;
}

}  // namespace maas::text
