// What search makes of a memory's text of 120 bytes. The baseline cuts it at blanks and hashes the
// words, and knows neither Unicode nor stems nor stop words.
#include "../memory_texts.hpp"
#include "text/analysis.hpp"
#include "text/language.hpp"
#include "text/questions.hpp"
#include "text/speakers.hpp"
#include "text/time_expressions.hpp"

#include <benchmark/benchmark.h>

#include <cctype>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace maas::text;

std::vector<std::string> texts() {
  maas::bench::MemoryMaker make(1);
  std::vector<std::string> made(200);
  for (std::string& text : made) text = make.text();
  return made;
}

// `work` takes a text and gives anything.
template <class Work>
void run(benchmark::State& state, Work work) {
  const std::vector<std::string> all = texts();
  std::size_t next = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    const std::string& text = all[next];
    next = (next + 1) % all.size();
    bytes += static_cast<std::int64_t>(text.size());
    benchmark::DoNotOptimize(work(text));
  }
  state.SetBytesProcessed(bytes);
}

std::size_t cut_and_hash(const std::string& text) {
  std::string word;
  std::size_t hashes = 0;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      hashes ^= std::hash<std::string_view>()(word);
      word.clear();
    }
  }
  return hashes;
}

void baseline(benchmark::State& state) { run(state, cut_and_hash); }
void content(benchmark::State& state) {
  run(state, [](const std::string& text) { return content_words(text); });
}
void terms(benchmark::State& state) {
  run(state, [](const std::string& text) {
    const auto words = content_words(text);
    return word_terms(words).size() + gram_terms(words).size();
  });
}
void language(benchmark::State& state) {
  run(state, [](const std::string& text) { return detect_language(text); });
}
void questions(benchmark::State& state) {
  run(state, [](const std::string& text) { return question_share(text); });
}
void times(benchmark::State& state) {
  run(state, [](const std::string& text) { return tells_time(text); });
}
void speaker(benchmark::State& state) {
  run(state, [](const std::string& text) { return speaker_prefix(text); });
}

BENCHMARK(baseline)->Name("analysis/baseline");
BENCHMARK(content)->Name("analysis/content_words");
BENCHMARK(terms)->Name("analysis/content_words+terms");
BENCHMARK(language)->Name("analysis/detect_language");
BENCHMARK(questions)->Name("analysis/question_share");
BENCHMARK(times)->Name("analysis/tells_time");
BENCHMARK(speaker)->Name("analysis/speaker_prefix");

}  // namespace
