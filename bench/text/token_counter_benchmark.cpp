// Token counting, in bytes of text per second. The baseline is what PCRE2 takes to split the text
// by the encoding's pattern and no more.
#include "text/split_pattern.hpp"
#include "text/token_counter.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace {

using maas::text::Encoding;

constexpr std::size_t kSize = 1 << 20;

constexpr auto kStems = std::to_array<std::string_view>(
    {"the",      "of",      "and",     "to",      "in",        "a",        "is",       "that",
     "for",      "it",      "as",      "was",     "with",      "be",       "by",       "on",
     "not",      "he",      "this",    "are",     "or",        "from",     "at",       "which",
     "but",      "have",    "an",      "had",     "they",      "you",      "were",     "their",
     "one",      "all",     "we",      "can",     "her",       "has",      "there",    "been",
     "if",       "more",    "when",    "will",    "would",     "who",      "so",       "time",
     "work",     "state",   "form",    "place",   "water",     "people",   "govern",   "develop",
     "number",   "system",  "process", "person",  "direct",    "present",  "import",   "produce",
     "consider", "report",  "general", "connect", "measure",   "observe",  "compute",  "memory",
     "session",  "account", "travel",  "morning", "kitchen",   "garden",   "quarter",  "bicycle",
     "orbit",    "piano",   "lantern", "harvest", "cathedral", "molecule", "algorithm"});
constexpr auto kEndings =
    std::to_array<std::string_view>({"", "", "", "", "", "s", "s", "ed", "ing", "er"});
constexpr auto kStops =
    std::to_array<std::string_view>({", ", ", ", ". ", "? ", "; ", " (", ") ", ".\n\n"});

class TextMaker {
 public:
  // Few of the choices make most of a text, as in every language.
  template <typename Choices>
  const auto& often_the_first(const Choices& choices) {
    const double skewed = std::pow(std::uniform_real_distribution<>(0, 1)(random_), 2);
    return choices[static_cast<std::size_t>(skewed * static_cast<double>(choices.size()))];
  }

  template <typename Choices>
  const auto& any(const Choices& choices) {
    return choices[random_() % choices.size()];
  }

  std::string word() {
    const std::string_view stem = often_the_first(kStems);
    return std::string(stem).append(stem.size() > 4 ? any(kEndings) : "");
  }

 private:
  std::mt19937 random_{1};
};

std::string english() {
  TextMaker make;
  std::string text;
  int words = 0;
  while (text.size() < kSize) {
    std::string word = make.word();
    if (text.empty() || text.ends_with(". ") || text.ends_with("\n")) {
      word[0] = static_cast<char>(word[0] - 'a' + 'A');
    }
    text.append(word).append(++words % 8 == 0 ? make.any(kStops) : " ");
  }
  return text;
}

std::string code() {
  TextMaker make;
  std::string text;
  while (text.size() < kSize) {
    const std::string object = make.word() + '_' + make.word();
    text += "  if (" + object + "." + make.word() + "() != k" + make.word() + ") {\n";
    text += "    // " + make.word() + ' ' + make.word() + ' ' + make.word() + '\n';
    text += "    return " + make.word() + "(" + object + "[42], \"" + make.word() + "\");\n  }\n\n";
  }
  return text;
}

std::string chinese() {
  constexpr char32_t kFirst = 0x4E00;
  constexpr char32_t kCount = 3000;
  TextMaker make;
  std::array<std::string, kCount> characters;
  for (char32_t i = 0; i < kCount; ++i) {
    const char32_t c = kFirst + i * 7;
    characters[i] = {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
                     static_cast<char>(0x80 | (c & 0x3F))};
  }
  constexpr auto kChineseStops = std::to_array<std::string_view>({"，", "。", "、", "！\n"});
  std::string text;
  for (std::size_t i = 1; text.size() < kSize; ++i) {
    text += make.often_the_first(characters);
    if (i % 11 == 0) text += make.any(kChineseStops);
  }
  return text;
}

std::string one_letter() { return std::string(kSize, 'a'); }

void count_tokens(benchmark::State& state, std::string (*make)(), Encoding encoding) {
  const std::string text = make();
  for (auto _ : state) benchmark::DoNotOptimize(maas::text::count_tokens(text, encoding));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void split_only(benchmark::State& state, std::string (*make)(), Encoding encoding) {
  const std::string text = make();
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const std::string pattern = maas::text::split_pattern(encoding);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  for (auto _ : state) {
    for (std::size_t at = 0; at < text.size(); at = pcre2_get_ovector_pointer(match)[1]) {
      if (pcre2_jit_match(code, subject, text.size(), at, 0, match, nullptr) < 0) {
        state.SkipWithError("pcre2_jit_match");
        break;
      }
    }
  }
  pcre2_match_data_free(match);
  pcre2_code_free(code);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void cut_in_half(benchmark::State& state, std::string (*make)(), Encoding encoding) {
  const std::string text = make();
  const std::int64_t half = maas::text::count_tokens(text, encoding) / 2;
  for (auto _ : state) benchmark::DoNotOptimize(maas::text::prefix_within(text, half, encoding));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()) / 2);
}

struct Sample {
  const char* name;
  std::string (*make)();
};
constexpr std::array kSamples{Sample{"english", english}, Sample{"code", code},
                              Sample{"chinese", chinese}, Sample{"one_letter", one_letter}};

bool register_all() {
  for (const auto encoding : {Encoding::cl100k_base, Encoding::o200k_base}) {
    const std::string name = encoding == Encoding::o200k_base ? "/o200k_base/" : "/cl100k_base/";
    for (const Sample& sample : kSamples) {
      const std::string suffix = name + sample.name;
      benchmark::RegisterBenchmark(("split_only" + suffix).c_str(), split_only, sample.make,
                                   encoding);
      benchmark::RegisterBenchmark(("count_tokens" + suffix).c_str(), count_tokens, sample.make,
                                   encoding);
      benchmark::RegisterBenchmark(("prefix_within" + suffix).c_str(), cut_in_half, sample.make,
                                   encoding);
    }
  }
  return true;
}

[[maybe_unused]] const bool kRegistered = register_all();

}  // namespace
