#include "text/words.hpp"

#include "text/ascii_words.hpp"
#include "text/boundaries.hpp"
#include "text/sentences.hpp"

#include <libstemmer.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>

namespace maas::text {
namespace {

std::string fold_ascii(std::string_view word) {
  std::string folded(word);
  for (char& c : folded) c = ascii_lower(c);
  return folded;
}

std::string fold(std::string_view word) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  check_icu(status, "normalization");
  std::string folded;
  icu::StringByteSink<std::string> sink(&folded);
  const icu::StringPiece piece(word.data(), static_cast<std::int32_t>(word.size()));
  normalizer->normalizeUTF8(0, piece, sink, nullptr, status);
  check_icu(status, "normalization");
  constexpr std::string_view kApostrophe = "\u2019";
  for (std::size_t at = 0; (at = folded.find(kApostrophe, at)) != std::string::npos; ++at) {
    folded.replace(at, kApostrophe.size(), 1, '\'');
  }
  return folded;
}

Word make_ascii_word(std::string_view written) {
  const std::string_view beginning = prefix_at_word(written, kLongestWord);
  return {.written = written,
          .folded = fold_ascii(beginning),
          .capitalized = is_ascii_upper(beginning.front()),
          .has_digit = std::ranges::any_of(beginning, is_ascii_digit)};
}

Word make_word(std::string_view written) {
  if (is_ascii(written)) return make_ascii_word(written);
  // Normalization sorts combining marks, which takes quadratic time on long runs of them.
  const std::string_view beginning = prefix_at_word(written, kLongestWord);
  Word word{.written = written, .folded = fold(beginning)};
  for (std::size_t at = 0; at < beginning.size();) {
    UChar32 code_point = 0;
    U8_NEXT(beginning.data(), at, beginning.size(), code_point);
    if (u_isdigit(code_point)) word.has_digit = true;
  }
  UChar32 first = 0;
  std::size_t at = 0;
  U8_NEXT(beginning.data(), at, beginning.size(), first);
  word.capitalized = u_isupper(first) || u_istitle(first);
  return word;
}

void append_ascii_words(std::string_view text, std::vector<Word>& found) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = ascii_word_end(text, at, text.size());
    if (end > at) found.push_back(make_ascii_word(text.substr(at, end - at)));
    at = std::max(end, at + 1);
  }
}

void append_icu_words(std::string_view text, std::vector<Word>& found) {
  struct Segment {
    std::size_t begin, end;
  };
  // Collected first: make_word may ask for the same break iterator.
  std::vector<Segment> segments;
  icu::BreakIterator& breaks = word_breaks(text);
  std::size_t begin = 0;
  for (auto at = breaks.next(); at != icu::BreakIterator::DONE; at = breaks.next()) {
    const auto end = static_cast<std::size_t>(at);
    if (breaks.getRuleStatus() >= UBRK_WORD_NONE_LIMIT) segments.push_back({begin, end});
    begin = end;
  }
  for (const Segment& segment : segments) {
    Word word = make_word(text.substr(segment.begin, segment.end - segment.begin));
    if (!word.folded.empty()) found.push_back(std::move(word));
  }
}

// How far `text` goes on with chunks, each up to the next space, that are all ASCII or all not.
// A word never reaches over a space, so each such part can be cut into words alone.
std::size_t uniform_part(std::string_view text, bool& ascii) {
  std::size_t part = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    bool chunk_ascii = true;
    while (at < text.size() && !is_ascii_space(text[at])) chunk_ascii &= is_ascii(text[at++]);
    while (at < text.size() && is_ascii_space(text[at])) ++at;
    if (begin > 0 && chunk_ascii != ascii) break;
    ascii = chunk_ascii;
    part = at;
  }
  return part;
}

struct StemmerDeleter {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

// Null for a language without a stemmer; those are not kept, or any name would take memory.
sb_stemmer* stemmer_of(std::string_view language) {
  thread_local std::map<std::string, std::unique_ptr<sb_stemmer, StemmerDeleter>, std::less<>>
      stemmers;
  if (const auto found = stemmers.find(language); found != stemmers.end()) {
    return found->second.get();
  }
  const std::string name(language);
  sb_stemmer* stemmer = sb_stemmer_new(name.c_str(), nullptr);
  if (stemmer != nullptr) stemmers[name].reset(stemmer);
  return stemmer;
}

}  // namespace

std::vector<Word> words(std::string_view text) {
  std::vector<Word> found;
  while (!text.empty()) {
    bool ascii = true;
    const std::size_t size = uniform_part(text, ascii);
    const std::string_view part = text.substr(0, size);
    if (ascii) {
      append_ascii_words(part, found);
    } else {
      append_icu_words(part, found);
    }
    text.remove_prefix(size);
  }
  return found;
}

std::string stem(std::string_view word, std::string_view language) {
  sb_stemmer* stemmer = word.size() <= kLongestWord ? stemmer_of(language) : nullptr;
  if (stemmer == nullptr) return std::string(word);
  const sb_symbol* stemmed = sb_stemmer_stem(
      stemmer, reinterpret_cast<const sb_symbol*>(word.data()), static_cast<int>(word.size()));
  if (stemmed == nullptr) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(stemmed),
          static_cast<std::size_t>(sb_stemmer_length(stemmer))};
}

}  // namespace maas::text
