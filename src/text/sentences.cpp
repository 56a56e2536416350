#include "text/sentences.hpp"

#include "text/boundaries.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

namespace maas::text {
namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

UChar32 code_point_at(std::string_view text, std::size_t at) {
  UChar32 code_point = 0;
  U8_NEXT(text.data(), at, text.size(), code_point);
  return code_point;
}

// Where the code point begins that holds the byte at `at`; the end of the text if `at` is there.
std::size_t code_point_start(std::string_view text, std::size_t at) {
  if (at >= text.size()) return text.size();
  while (at > 0 && U8_IS_TRAIL(text[at])) --at;
  return at;
}

std::size_t first_code_point_size(std::string_view text) {
  std::size_t at = 0;
  U8_FWD_1(text.data(), at, text.size());
  return at;
}

// The last boundary in `text` that is at most `limit`; 0 if none is.
std::size_t last_break(icu::BreakIterator& breaks, std::size_t limit) {
  std::size_t last = 0;
  for (auto at = breaks.next(); at != icu::BreakIterator::DONE; at = breaks.next()) {
    if (static_cast<std::size_t>(at) > limit) break;
    last = static_cast<std::size_t>(at);
  }
  return last;
}

// The last place in `text` up to `limit` where white space follows; 0 if there is none.
std::size_t last_space(std::string_view text, std::size_t limit) {
  for (std::size_t at = limit; at > 0; at = code_point_start(text, at - 1)) {
    if (u_isUWhiteSpace(code_point_at(text, at))) return at;
  }
  return 0;
}

// "3." or "12." alone, which UAX 29 takes for a sentence.
bool is_list_number(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits > 0 && digits <= 3 && text.substr(digits) == ".";
}

// Whether a sentence that began at `begin` goes on behind `at`, where UAX 29 ends it.
bool goes_on(std::string_view text, std::size_t begin, std::size_t at) {
  if (at >= text.size()) return false;
  const char before = text[at - 1];
  if (before == '\n' || before == '\r') return false;
  // "?" in a URL, "!" in code: behind a sentence there is a space, or a script without any.
  if ((before == '?' || before == '!') && is_ascii(text[at])) {
    return !u_isUWhiteSpace(code_point_at(text, at));
  }
  constexpr std::size_t kLongestNumber = 8;  // with its spaces
  return at - begin <= kLongestNumber && is_list_number(trim(text.substr(begin, at - begin)));
}

bool is_abbreviation(std::string_view word) {
  constexpr auto kAbbreviations =
      std::to_array<std::string_view>({"appt", "approx", "dept", "est", "etc", "ext", "fig", "incl",
                                       "max", "min", "misc", "resp", "tel", "vol"});
  return std::ranges::find(kAbbreviations, word) != kAbbreviations.end();
}

// Whether the full stop at `at` ends a sentence although a small letter follows, as where people
// chat without capitals; UAX 29 takes it for an abbreviation.
bool ends_before_small_letter(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at + 1] != ' ') return false;
  if (!u_islower(code_point_at(text, at + 2))) return false;
  const std::size_t begin = text.find_last_of(" \t(", at) + 1;  // npos + 1 is 0
  const std::string_view word = text.substr(begin, at - begin);
  return word.size() >= 3 && word.find('.') == std::string_view::npos && !is_abbreviation(word);
}

void append_pieces(std::string_view sentence, std::size_t max_bytes,
                   std::vector<std::string_view>& pieces) {
  sentence = trim(sentence);
  while (sentence.size() > max_bytes) {
    std::string_view piece = prefix_at_word(sentence, max_bytes);
    if (piece.empty()) piece = sentence.substr(0, first_code_point_size(sentence));
    pieces.push_back(trim(piece));
    sentence = trim(sentence.substr(piece.size()));
  }
  if (!sentence.empty()) pieces.push_back(sentence);
}

// `text` is one sentence by UAX 29.
void append_sentences(std::string_view text, std::size_t max_bytes,
                      std::vector<std::string_view>& pieces) {
  std::size_t begin = 0;
  for (std::size_t at = 0; (at = text.find('.', at)) != std::string_view::npos; ++at) {
    if (!ends_before_small_letter(text, at)) continue;
    append_pieces(text.substr(begin, at + 1 - begin), max_bytes, pieces);
    begin = at + 1;
  }
  append_pieces(text.substr(begin), max_bytes, pieces);
}

}  // namespace

std::vector<std::string_view> sentences(std::string_view text, std::size_t max_bytes) {
  std::vector<std::string_view> pieces;
  icu::BreakIterator& breaks = sentence_breaks(text);
  std::vector<std::size_t> ends;
  for (auto at = breaks.next(); at != icu::BreakIterator::DONE; at = breaks.next()) {
    ends.push_back(static_cast<std::size_t>(at));
  }
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    if (goes_on(text, begin, end)) continue;
    append_sentences(text.substr(begin, end - begin), max_bytes, pieces);
    begin = end;
  }
  return pieces;
}

std::string_view prefix_at_word(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  const std::size_t limit = code_point_start(text, max_bytes);
  if (limit == 0) return {};
  std::size_t end = last_space(text, limit);
  if (end > limit / 2) return text.substr(0, end);
  // One code point more than fits shows whether a word or character ends at the limit.
  const std::string_view seen = text.substr(0, limit + first_code_point_size(text.substr(limit)));
  end = last_break(word_breaks(seen), limit);
  if (end > limit / 2) return text.substr(0, end);
  end = last_break(character_breaks(seen), limit);
  return text.substr(0, end > 0 ? end : limit);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && u_isUWhiteSpace(code_point_at(text, 0))) {
    text.remove_prefix(first_code_point_size(text));
  }
  while (!text.empty()) {
    const std::size_t last = code_point_start(text, text.size() - 1);
    if (!u_isUWhiteSpace(code_point_at(text, last))) break;
    text = text.substr(0, last);
  }
  return text;
}

}  // namespace maas::text
