#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

// Texts and vectors to measure with; the same each time.
namespace maas::bench {

inline constexpr std::size_t kTextBytes = 120;
inline constexpr std::size_t kDims = 384;

class MemoryMaker {
 public:
  explicit MemoryMaker(unsigned seed) : random_(seed) {
    vocabulary_.reserve(kWords);
    while (vocabulary_.size() < kWords) vocabulary_.push_back(invent_word());
  }

  // About 120 bytes of English function words and invented words, few of them frequent.
  std::string text() {
    std::string made;
    while (made.size() < kTextBytes) {
      made.append(random_() % 5 < 2 ? any(kFunctionWords) : word()).append(" ");
    }
    made.back() = '.';
    return made;
  }

  std::string query() {
    std::string made;
    for (std::size_t words = 5 + random_() % 4; words > 0; --words) made.append(word()).append(" ");
    return made;
  }

  // Of unit length.
  std::vector<float> vector() {
    std::normal_distribution<float> normal;
    std::vector<float> made(kDims);
    float sum = 0;
    for (float& x : made) {
      x = normal(random_);
      sum += x * x;
    }
    for (float& x : made) x /= std::sqrt(sum);
    return made;
  }

 private:
  static constexpr std::size_t kWords = 20'000;
  static constexpr auto kFunctionWords = std::to_array<std::string_view>(
      {"the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "was", "with", "my", "we"});
  static constexpr auto kOnsets = std::to_array<std::string_view>(
      {"b", "br", "c", "d", "f", "gr", "h", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v"});
  static constexpr auto kVowels = std::to_array<std::string_view>({"a", "e", "i", "o", "u", "ea"});
  static constexpr auto kCodas =
      std::to_array<std::string_view>({"", "", "n", "r", "l", "ck", "st"});
  static constexpr auto kEndings =
      std::to_array<std::string_view>({"", "", "", "s", "ing", "ed", "ly", "er"});

  template <class Choices>
  std::string_view any(const Choices& choices) {
    return choices[random_() % choices.size()];
  }

  std::string invent_word() {
    std::string made;
    for (std::size_t syllables = 1 + random_() % 3; syllables > 0; --syllables) {
      made.append(any(kOnsets)).append(any(kVowels)).append(any(kCodas));
    }
    return made.append(any(kEndings));
  }

  // Zipf's law as Mandelbrot bends it: the most frequent of these is in one memory of thirty, as
  // words that say something are.
  const std::string& word() {
    constexpr double kBend = 50;
    const double share = std::uniform_real_distribution<>(0, 1)(random_);
    const double rank = kBend * (std::pow(static_cast<double>(kWords) / kBend + 1, share) - 1);
    return vocabulary_[std::min(kWords - 1, static_cast<std::size_t>(rank))];
  }

  std::mt19937 random_;
  std::vector<std::string> vocabulary_;
};

}  // namespace maas::bench
