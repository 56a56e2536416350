#include "text/speakers.hpp"

#include "text/ascii_words.hpp"
#include "text/folding.hpp"
#include "text/name_words.hpp"
#include "text/sentences.hpp"
#include "text/words.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace maas::text {
namespace {

constexpr std::size_t kLongestName = 40;  // bytes
constexpr std::string_view kWideColon = "\uFF1A";

std::size_t colon_size(std::string_view text) {
  if (text.starts_with(':')) return 1;
  return text.starts_with(kWideColon) ? kWideColon.size() : 0;
}

// What stands in front of the first colon within the first bytes, which are all it may take.
std::string_view before_colon(std::string_view text, std::size_t max_bytes) {
  const std::string_view beginning = text.substr(0, max_bytes + kWideColon.size());
  const std::size_t colon = std::min(beginning.find(':'), beginning.find(kWideColon));
  return colon <= max_bytes ? text.substr(0, colon) : std::string_view();
}

bool is_letter_with_capital(UChar32 code_point) {
  return u_isupper(code_point) || u_istitle(code_point);
}

bool is_letter_without_case(UChar32 code_point) {
  return u_isalpha(code_point) && !u_islower(code_point) && !is_letter_with_capital(code_point);
}

bool may_stand_in_name(UChar32 code_point) {
  constexpr std::string_view kMarks = ".'-_";
  if (code_point < 0x80 && kMarks.find(static_cast<char>(code_point)) != std::string_view::npos) {
    return true;
  }
  return code_point == 0x2019 || u_isalnum(code_point) ||
         (U_GET_GC_MASK(code_point) & U_GC_M_MASK) != 0;
}

enum class NamePart { none, capitalized, number, particle };

NamePart name_part(std::string_view word) {
  UChar32 first = 0;
  bool digits = true;
  for (std::size_t at = 0; at < word.size();) {
    const bool at_first = at == 0;
    UChar32 code_point = 0;
    U8_NEXT(word.data(), at, word.size(), code_point);
    if (!may_stand_in_name(code_point)) return NamePart::none;
    if (at_first) first = code_point;
    digits = digits && u_isdigit(code_point);
  }
  if (word.empty()) return NamePart::none;
  if (is_letter_with_capital(first) || is_letter_without_case(first)) return NamePart::capitalized;
  if (digits) return NamePart::number;
  return is_name_particle(word) ? NamePart::particle : NamePart::none;
}

bool is_name(std::string_view text) {
  constexpr int kMostWords = 3;
  int words = 0;
  NamePart last = NamePart::none;
  while (true) {
    const std::size_t size = std::min(text.find(' '), text.size());
    last = name_part(text.substr(0, size));
    const bool first = words == 0;
    if (last == NamePart::none || (first && last != NamePart::capitalized)) return false;
    if (last != NamePart::particle) ++words;
    if (size == text.size()) break;
    text.remove_prefix(size + 1);
  }
  return words <= kMostWords && last != NamePart::particle;
}

std::string_view trim_left(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

void append_separated(std::string& text, std::string_view rest) {
  const bool two_spaces = rest.starts_with(' ') && (text.empty() || text.ends_with(' '));
  text += two_spaces ? rest.substr(1) : rest;
}

}  // namespace

std::string_view speaker_prefix(std::string_view text) {
  const std::string_view line = trim_left(text);
  const std::string_view name = before_colon(line, kLongestName);
  if (name.empty() || !is_name(name)) return {};
  const std::string_view rest = line.substr(name.size());
  const std::string_view said = rest.substr(colon_size(rest));
  // Behind ":" a space tells speech from "Re:Zero" and "C:\".
  const bool spaced = !said.empty() && is_ascii_space(said.front());
  if (!spaced && !rest.starts_with(kWideColon)) return {};
  return trim(said).empty() ? std::string_view() : name;
}

std::string_view without_speaker(std::string_view text, std::string_view name) {
  const std::string_view wanted = trim(name);
  if (wanted.empty()) return text;
  std::string_view rest = trim_left(text);
  if (rest.starts_with(wanted) && colon_size(rest.substr(wanted.size())) > 0) {
    rest.remove_prefix(wanted.size());
  } else {
    // Another spelling of the name may be longer, by accents that are characters of their own.
    const std::string_view written = before_colon(rest, 2 * wanted.size() + kLongestName);
    if (written.empty() || folded_line(written) != folded_line(wanted)) return text;
    rest.remove_prefix(written.size());
  }
  return trim_left(rest.substr(colon_size(rest)));
}

std::string in_first_person(std::string_view text, std::span<const Mention> mentions) {
  std::string result;
  std::size_t at = 0;
  for (const Mention& mention : mentions) {
    result += text.substr(at, mention.begin - at);
    result += mention.possessive ? "my" : "I";
    at = mention.end;
  }
  result += text.substr(at);
  return result;
}

std::string without_mentions(std::string_view text, std::span<const Mention> mentions) {
  std::string result;
  std::size_t at = 0;
  for (const Mention& mention : mentions) {
    append_separated(result, text.substr(at, mention.begin - at));
    at = mention.end;
  }
  if (mentions.empty()) return std::string(text);
  append_separated(result, text.substr(at));
  return result;
}

}  // namespace maas::text
