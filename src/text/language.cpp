#include "text/language.hpp"

#include "text/ascii_words.hpp"
#include "text/stop_word_lists.hpp"
#include "text/stop_words.hpp"
#include "text/words.hpp"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

namespace maas::text {
namespace {

struct LanguageName {
  std::string_view name;
  std::array<std::string_view, 4> codes;  // ISO 639-1, -2 (both) and what else is in use
};

constexpr auto kLanguages = std::to_array<LanguageName>({
    {"arabic", {"ar", "ara"}},
    {"armenian", {"hy", "hye", "arm"}},
    {"basque", {"eu", "eus", "baq"}},
    {"catalan", {"ca", "cat"}},
    {"danish", {"da", "dan"}},
    {"dutch", {"nl", "nld", "dut"}},
    {"english", {"en", "eng"}},
    {"finnish", {"fi", "fin"}},
    {"french", {"fr", "fra", "fre"}},
    {"german", {"de", "deu", "ger"}},
    {"greek", {"el", "ell", "gre"}},
    {"hindi", {"hi", "hin"}},
    {"hungarian", {"hu", "hun"}},
    {"indonesian", {"id", "ind"}},
    {"irish", {"ga", "gle"}},
    {"italian", {"it", "ita"}},
    {"lithuanian", {"lt", "lit"}},
    {"nepali", {"ne", "nep"}},
    {"norwegian", {"no", "nor", "nb", "nn"}},
    {"portuguese", {"pt", "por"}},
    {"romanian", {"ro", "ron", "rum"}},
    {"russian", {"ru", "rus"}},
    {"serbian", {"sr", "srp"}},
    {"spanish", {"es", "spa"}},
    {"swedish", {"sv", "swe"}},
    {"tamil", {"ta", "tam"}},
    {"turkish", {"tr", "tur"}},
    {"yiddish", {"yi", "yid"}},
});

// More says nothing more about the language.
constexpr std::size_t kSampleBytes = 4096;

std::string_view sample_of(std::string_view text) {
  if (text.size() <= kSampleBytes) return text;
  std::size_t end = kSampleBytes;
  while (end > 0 && U8_IS_TRAIL(text[end])) --end;
  return text.substr(0, end);
}

// A script, the language that most texts in it are in, and that language's small letters.
struct Script {
  UScriptCode code;
  std::string_view language;
  UChar32 first, last;
};

constexpr auto kScripts = std::to_array<Script>({
    {USCRIPT_CYRILLIC, "russian", 0x430, 0x451},
    {USCRIPT_ARABIC, "arabic", 0x621, 0x652},
    {USCRIPT_GREEK, "greek", 0x370, 0x3FF},
    {USCRIPT_ARMENIAN, "armenian", 0x530, 0x58F},
    {USCRIPT_DEVANAGARI, "hindi", 0x900, 0x97F},
    {USCRIPT_TAMIL, "tamil", 0xB80, 0xBFF},
});

// The language of the script that most letters are of; empty if that is Latin or none of ours.
std::string_view language_by_script(std::string_view text) {
  struct Count {
    std::size_t letters = 0;
    std::size_t of_another_language = 0;
  };
  std::array<Count, kScripts.size()> counts{};
  std::size_t rest = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (is_ascii(text[at])) {
      rest += is_ascii_letter(text[at++]) ? 1 : 0;
      continue;
    }
    UChar32 code_point = 0;
    U8_NEXT(text.data(), at, text.size(), code_point);
    if (!u_isalpha(code_point)) continue;
    UErrorCode status = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(code_point, &status);
    const auto found = std::ranges::find(kScripts, script, &Script::code);
    if (found == kScripts.end()) {
      ++rest;
      continue;
    }
    Count& count = counts[static_cast<std::size_t>(found - kScripts.begin())];
    const UChar32 small = u_foldCase(code_point, U_FOLD_CASE_DEFAULT);
    ++count.letters;
    if (small < found->first || small > found->last) ++count.of_another_language;
  }
  const auto most = std::ranges::max_element(counts, {}, &Count::letters);
  if (most->letters <= rest) return {};
  // Ukrainian, Serbian, Persian and Urdu have letters of their own in nearly every word; a name or
  // two may hold one in Russian or Arabic as well.
  if (most->of_another_language * 25 > most->letters) return kEnglish;
  return kScripts[static_cast<std::size_t>(most - counts.begin())].language;
}

// What stands in the lists of other languages and just as well in an English text, be it chat or
// part of a name.
constexpr auto kAlsoEnglish = std::to_array<std::string_view>({
    "ab",   "ad",    "af",      "ai",   "al",   "all",  "alt",  "am",   "ama", "an",    "as",
    "at",   "az",    "bare",    "been", "ben",  "bin",  "bis",  "biz",  "car", "col",   "com",
    "come", "como",  "comment", "con",  "da",   "dan",  "das",  "dat",  "de",  "deg",   "del",
    "dem",  "den",   "der",     "des",  "di",   "die",  "dies", "dig",  "din", "dine",  "dit",
    "do",   "doch",  "dog",     "door", "dos",  "dove", "du",   "due",  "ed",  "ej",    "em",
    "en",   "end",   "er",      "era",  "est",  "et",   "fare", "font", "for", "fra",   "fu",
    "fut",  "ge",    "ha",      "had",  "ham",  "han",  "hans", "has",  "hat", "have",  "hay",
    "he",   "hem",   "hep",     "her",  "het",  "hin",  "hit",  "ho",   "hoe", "hon",   "hun",
    "im",   "in",    "ins",     "io",   "is",   "ja",   "jag",  "jo",   "kan", "kim",   "kun",
    "la",   "las",   "le",      "lei",  "les",  "lo",   "los",  "ma",   "man", "mas",   "me",
    "meer", "men",   "met",     "mi",   "mia",  "min",  "mina", "mine", "mir", "mod",   "mon",
    "mot",  "moi",   "mu",      "na",   "nada", "naar", "ne",   "ned",  "nei", "no",    "nos",
    "nu",   "num",   "nun",     "nyt",  "of",   "og",   "oh",   "ole",  "om",  "on",    "ona",
    "ons",  "op",    "or",      "os",   "ou",   "over", "par",  "para", "per", "plus",  "por",
    "pour", "pro",   "qua",     "que",  "qui",  "sa",   "sans", "se",   "sea", "sedan", "sei",
    "sen",  "ser",   "sera",    "si",   "sig",  "sin",  "sit",  "size", "ska", "so",    "solo",
    "som",  "son",   "sta",     "su",   "sue",  "sul",  "sur",  "tai",  "tan", "te",    "ten",
    "ti",   "til",   "to",      "todo", "toe",  "ton",  "tot",  "tout", "tu",  "u",     "um",
    "un",   "under", "uno",     "us",   "ut",   "va",   "vain", "van",  "var", "vi",    "via",
    "vid",  "vos",   "want",    "war",  "was",  "wat",  "we",   "weg",  "wel", "will",  "wo",
    "ya",   "yo",    "zo",
});

// What a word says about the language of its text. Bit 0 stands for English, bit i + 1 for the
// list i of foreign_stop_words().
struct Evidence {
  std::uint32_t languages = 0;
  std::size_t index = 0;  // of the word
};
constexpr std::uint32_t kEnglishBit = 1;
constexpr std::size_t kMostWords = 4096;

using EvidenceTable = std::unordered_map<std::string_view, Evidence>;

EvidenceTable make_evidence() {
  EvidenceTable table;
  const auto add = [&](std::span<const std::string_view> list, std::uint32_t bit) {
    for (const std::string_view word : list) {
      table.try_emplace(word, Evidence{.index = table.size()}).first->second.languages |= bit;
    }
  };
  add(stop_words(kEnglish), kEnglishBit);
  add(kAlsoEnglish, kEnglishBit);
  std::uint32_t bit = kEnglishBit;
  for (const StopWordList& list : foreign_stop_words()) add(list.words, bit <<= 1);
  return table;
}

const Evidence* evidence_of(std::string_view folded) {
  static const EvidenceTable table = make_evidence();
  auto found = table.find(folded);
  if (found == table.end()) {
    const std::size_t apostrophe = folded.find('\'');
    if (apostrophe == std::string_view::npos) return nullptr;
    found = table.find(folded.substr(0, apostrophe));
  } else if (folded.size() == 1) {
    return nullptr;  // a letter: a grade, a vitamin, a variable
  }
  return found == table.end() || found->second.index >= kMostWords ? nullptr : &found->second;
}

std::string_view language_by_stop_words(std::string_view text) {
  const std::size_t lists = foreign_stop_words().size();
  std::array<int, 32> for_it{};       // what speaks for a language and not for English
  std::array<int, 32> for_english{};  // and the reverse
  std::array<int, 32> shared{};       // what speaks for both
  std::bitset<kMostWords> seen;
  bool first = true;
  for (const Word& word : words(text)) {
    // "Los Angeles", "La Boqueria": parts of names, in whatever language.
    const bool name = word.capitalized && !first;
    first = false;
    const Evidence* evidence = evidence_of(word.folded);
    if (evidence == nullptr || seen[evidence->index]) continue;
    const bool english = (evidence->languages & kEnglishBit) != 0;
    if (name && !english) continue;
    seen.set(evidence->index);
    const int weight = is_ascii(word.folded) ? 1 : 2;
    for (std::size_t i = 0; i < lists; ++i) {
      const bool its_own = (evidence->languages >> (i + 1) & 1) != 0;
      if (its_own && !english) for_it[i] += weight;
      if (its_own && english) shared[i] += weight;
      if (!its_own && english) for_english[i] += weight;
    }
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < lists; ++i) {
    const auto points = [&](std::size_t list) { return 4 * for_it[list] + shared[list]; };
    if (points(i) > points(best)) best = i;
  }
  constexpr int kEnough = 2;
  const bool wins = for_it[best] >= kEnough && for_it[best] > for_english[best];
  return wins ? foreign_stop_words()[best].language : kEnglish;
}

}  // namespace

std::string_view detect_language(std::string_view text) {
  const std::string_view sample = sample_of(text);
  const std::string_view by_script = language_by_script(sample);
  return by_script.empty() ? language_by_stop_words(sample) : by_script;
}

std::optional<std::string_view> language_named(std::string_view name) {
  if (name == kEnglish) return kEnglish;
  std::string lower(name.substr(0, name.find_first_of("-_")));  // "pt-BR"
  for (char& c : lower) c = ascii_lower(c);
  if (lower.empty()) return std::nullopt;
  for (const LanguageName& language : kLanguages) {
    if (lower == language.name ||
        std::ranges::find(language.codes, lower) != language.codes.end()) {
      return language.name;
    }
  }
  return std::nullopt;
}

}  // namespace maas::text
