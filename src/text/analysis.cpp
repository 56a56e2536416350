#include "text/analysis.hpp"

#include "text/ascii_words.hpp"
#include "text/emoji.hpp"
#include "text/ideographs.hpp"
#include "text/irregular_forms.hpp"
#include "text/language.hpp"
#include "text/stop_words.hpp"

#include <unicode/utf8.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace maas::text {
namespace {

using StopWords = std::span<const std::string_view>;

// What a language does to words, found once for a whole text.
struct LanguageRules {
  StopWords stop_words;
  bool elides = false;  // what stands in front of an apostrophe is an article: "l'homme"
};

LanguageRules rules_of(std::string_view language) {
  const std::string_view name = language_named(language).value_or("");
  return {.stop_words = stop_words(name),
          .elides = name == "french" || name == "italian" || name == "catalan"};
}

bool is_elided(std::string_view head) {
  constexpr auto kElided = std::to_array<std::string_view>(
      {"all", "bell", "coll", "dall", "dell", "jusqu", "lorsqu", "nell", "puisqu", "quell",
       "quelqu", "quest", "quoiqu", "sant", "sull", "tutt"});
  return head.size() <= 2 || std::ranges::find(kElided, head) != kElided.end();
}

std::string_view without_apostrophe(std::string_view word, bool elides) {
  for (;;) {
    const std::size_t apostrophe = word.find('\'');
    if (apostrophe == std::string_view::npos) return word;
    const std::string_view head = word.substr(0, apostrophe);
    const std::string_view tail = word.substr(apostrophe + 1);
    if (tail.empty()) return head;
    // "1'000"; and in "п'ять" the apostrophe is a letter.
    if (is_ascii_digit(tail.front())) return word;
    const bool one_letter =
        head.size() <= 1 && tail.size() > 2;  // "O'Brien", "d'Angelo", "o'clock"
    if (one_letter || (elides && is_elided(head))) {
      word = tail;
    } else {
      return is_ascii(tail.front()) ? head : word;
    }
  }
}

// Vowel signs and the stroke that lengthens a word, which Arabic writes or leaves out at will.
void remove_arabic_signs(std::string& word) {
  if (word.find_first_of("\xD9") == std::string::npos) return;
  std::string plain;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t begin = at;
    UChar32 code_point = 0;
    U8_NEXT(word.data(), at, word.size(), code_point);
    const bool sign =
        code_point == 0x640 || (code_point >= 0x64B && code_point <= 0x652) || code_point == 0x670;
    if (!sign) plain.append(word, begin, at - begin);
  }
  word = std::move(plain);
}

// What joins the parts of a word: "user_id", "main.py", "jo@example.org".
constexpr std::string_view kJoints = "._@";

class ContentWords {
 public:
  ContentWords(const LanguageRules& rules, bool keep_stop_words)
      : rules_(rules), keep_stop_words_(keep_stop_words) {}

  std::vector<std::string> of(std::string_view text, std::span<const Word> all) && {
    const char* end = text.data();
    for (const Word& word : all) {
      const char* const begin = word.written.data();
      if (begin > end) {
        ideographs_.end(found_);
        append_emoji({end, begin}, found_);
      }
      end = begin + word.written.size();
      add(word.folded);
    }
    ideographs_.end(found_);
    append_emoji({end, text.data() + text.size()}, found_);
    return std::move(found_);
  }

 private:
  bool is_stop_word(std::string_view word) const {
    return !keep_stop_words_ && std::ranges::binary_search(rules_.stop_words, word);
  }

  void add(std::string folded) {
    ideographs_.add(folded, found_);
    remove_arabic_signs(folded);
    if (is_stop_word(folded)) return;
    const std::string_view word = without_apostrophe(folded, rules_.elides);
    if (word.find_first_not_of(kJoints) == std::string_view::npos) return;
    if (word.size() < folded.size() && is_stop_word(word)) return;
    found_.emplace_back(word);
    if (word.find_first_of(kJoints) != std::string_view::npos) add_parts(word);
  }

  // "user_id" is found by "user", and the first word of a sentence by itself although someone
  // forgot the space before it ("home.Then").
  void add_parts(std::string_view word) {
    if (word.find_first_not_of("0123456789.,;_") == std::string_view::npos) return;
    while (!word.empty()) {
      const std::size_t size = std::min(word.find_first_of(kJoints), word.size());
      const std::string_view part = word.substr(0, size);
      const bool number = std::ranges::all_of(part, is_ascii_digit);
      if (part.size() > 1 && !number && !is_stop_word(part)) found_.emplace_back(part);
      word.remove_prefix(std::min(size + 1, word.size()));
    }
  }

  const LanguageRules& rules_;
  bool keep_stop_words_;
  std::vector<std::string> found_;
  IdeographRun ideographs_;
};

constexpr XXH64_hash_t kWordSeed = 1;
constexpr XXH64_hash_t kGramSeed = 2;
constexpr Term kGramBit = Term{1} << 63;

std::vector<TermCount> counted(std::vector<Term> terms) {
  std::ranges::sort(terms);
  std::vector<TermCount> counts;
  counts.reserve(terms.size());
  for (const Term term : terms) {
    if (counts.empty() || counts.back().term != term) counts.push_back({.term = term});
    ++counts.back().count;
  }
  return counts;
}

void append_grams(std::string_view framed, std::vector<Term>& terms) {
  constexpr std::size_t kCharacters = 4;
  std::size_t end = 0;
  for (std::size_t i = 0; i < kCharacters && end < framed.size(); ++i) {
    U8_FWD_1(framed.data(), end, framed.size());
  }
  for (std::size_t begin = 0;;) {
    terms.push_back(gram_term(framed.substr(begin, end - begin)));
    if (end == framed.size()) return;
    U8_FWD_1(framed.data(), begin, framed.size());
    U8_FWD_1(framed.data(), end, framed.size());
  }
}

}  // namespace

std::vector<std::string> content_words(std::string_view text, std::string_view language) {
  const LanguageRules rules = rules_of(language);
  const std::vector<Word> all = words(text);
  std::vector<std::string> content = ContentWords(rules, false).of(text, all);
  return content.empty() ? ContentWords(rules, true).of(text, all) : content;
}

std::string base_form(std::string_view word, std::string_view language) {
  if (word.find('\xF0') != std::string_view::npos) return without_skin_tones(word);
  if (language_named(language) == kEnglish) {
    if (const std::string_view base = irregular_base(word); !base.empty()) word = base;
  }
  return stem(word, language);
}

Term word_term(std::string_view base_form) {
  return XXH3_64bits_withSeed(base_form.data(), base_form.size(), kWordSeed) & ~kGramBit;
}

Term gram_term(std::string_view four_characters) {
  return XXH3_64bits_withSeed(four_characters.data(), four_characters.size(), kGramSeed) | kGramBit;
}

std::vector<TermCount> word_terms(std::span<const std::string> content_words,
                                  std::string_view language) {
  std::vector<Term> terms;
  terms.reserve(content_words.size());
  for (const std::string& word : content_words) {
    terms.push_back(word_term(base_form(word, language)));
  }
  return counted(std::move(terms));
}

std::vector<TermCount> gram_terms(std::span<const std::string> content_words) {
  std::size_t bytes = 0;
  for (const std::string& word : content_words) bytes += word.size();
  std::vector<Term> terms;
  terms.reserve(bytes);
  std::string framed;
  for (const std::string& word : content_words) {
    framed.assign(1, '#').append(word).append(1, '#');
    append_grams(framed, terms);
  }
  return counted(std::move(terms));
}

}  // namespace maas::text
