#include "text/words.hpp"

#include "text/boundaries.hpp"

#include <gtest/gtest.h>
#include <unicode/ubrk.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace maas::text {
namespace {

using namespace std::string_view_literals;

std::vector<std::string> folded(std::string_view text) {
  std::vector<std::string> result;
  for (Word& word : words(text)) result.push_back(std::move(word.folded));
  return result;
}

using Strings = std::vector<std::string>;

TEST(Words, AreSeparatedAtSpacesAndPunctuation) {
  EXPECT_EQ(folded("(The quick) brown-fox, jumps!"),
            (Strings{"the", "quick", "brown", "fox", "jumps"}));
}

TEST(Words, KeepContractionsNumbersAndIdentifiersWhole) {
  EXPECT_EQ(folded("don't 1,250.50 main.py user_id jo@x.org"),
            (Strings{"don't", "1,250.50", "main.py", "user_id", "jo@x.org"}));
}

TEST(Words, AreFoldedSoThatSpellingsCompareEqual) {
  EXPECT_EQ(folded("Straße ÉCOLE ＡＢＣ ﬁne don’t"),
            (Strings{"strasse", "école", "abc", "fine", "don't"}));
  EXPECT_EQ(folded("e\u0301cole"), folded("école"));
}

TEST(Words, OfScriptsWithoutSpacesAreFoundByDictionary) {
  EXPECT_EQ(folded("東京大学で勉強"), (Strings{"東京", "大学", "で", "勉強"}));
  EXPECT_GT(words("ภาษาไทยไม่มีช่องว่าง").size(), 2U);
}

TEST(Words, DoNotIncludeSymbolsAndEmoji) {
  EXPECT_TRUE(words("👍🏽 → !? … 👨‍👩‍👧 \u200d").empty());
  EXPECT_TRUE(words("").empty());
  EXPECT_TRUE(words(std::string_view()).empty());
}

TEST(Words, PointIntoTheText) {
  const std::string text = "On 3 May, Alice";
  const std::vector<Word> found = words(text);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[3].written.data(), text.data() + 10);
  EXPECT_EQ(found[3].written, "Alice");
}

TEST(Words, TellCapitalsAndDigits) {
  const std::vector<Word> found = words("Élan élan x٣ ǅ");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_TRUE(found[0].capitalized);
  EXPECT_FALSE(found[1].capitalized);
  EXPECT_TRUE(found[2].has_digit);
  EXPECT_FALSE(found[0].has_digit);
  EXPECT_TRUE(found[3].capitalized);
}

TEST(Words, MayStandBesideNul) { EXPECT_EQ(folded("one\0two"sv), (Strings{"one", "two"})); }

TEST(Words, ThatAreTooLongAreFoldedInPart) {
  const std::string text(1 << 20, 'A');
  const std::vector<Word> found = words(text);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].written.size(), text.size());
  EXPECT_EQ(found[0].folded, std::string(kLongestWord, 'a'));
}

TEST(Words, OfManyCombiningMarksAreFoldedInPart) {
  std::string text = "a";
  while (text.size() < 1 << 20) text += "\u0301\u0316";  // to be sorted by their classes
  const std::vector<Word> found = words(text);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_LE(found[0].folded.size(), kLongestWord);
}

TEST(Words, AreTheSameOnAllThreads) {
  const std::string text = "Mr. Smith flew to 東京 on Monday, didn't he?";
  const Strings expected = folded(text);
  std::vector<std::thread> threads;
  std::vector<int> differing(4);
  for (int& count : differing) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) count += folded(text) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differing, std::vector<int>(4));
}

// What ICU alone finds in the whole text.
std::vector<std::string_view> icu_words(std::string_view text) {
  std::vector<std::string_view> found;
  icu::BreakIterator& breaks = word_breaks(text);
  std::size_t begin = 0;
  for (auto at = breaks.next(); at != icu::BreakIterator::DONE; at = breaks.next()) {
    const auto end = static_cast<std::size_t>(at);
    if (breaks.getRuleStatus() >= UBRK_WORD_NONE_LIMIT) {
      found.push_back(text.substr(begin, end - begin));
    }
    begin = end;
  }
  return found;
}

std::vector<std::string_view> written(std::string_view text) {
  std::vector<std::string_view> found;
  for (const Word& word : words(text)) found.push_back(word.written);
  return found;
}

TEST(Words, OfAsciiAreThoseOfIcu) {
  constexpr std::string_view kAlphabet = "aZ1_.':;,@";
  constexpr std::size_t kLength = 5;
  std::string text(kLength, 'a');
  std::array<std::size_t, kLength> digits{};
  for (bool more = true; more;) {
    for (std::size_t i = 0; i < kLength; ++i) text[i] = kAlphabet[digits[i]];
    ASSERT_EQ(written(text), icu_words(text)) << '"' << text << '"';
    more = false;
    for (std::size_t i = 0; i < kLength && !more; ++i) {
      digits[i] = (digits[i] + 1) % kAlphabet.size();
      more = digits[i] != 0;
    }
  }
}

TEST(Words, OfAnyAsciiAndOfMixedTextsAreThoseOfIcu) {
  const std::vector<std::string> others = {"\u0301", "\u200d", "é",      "’",  "東京",   "で",
                                           "ภาษา",   "я",      "👍🏽",   "🇩🇪", "\u00a0", "\u00ad",
                                           "\u2028", "\u05d0", "\"",     "カ", "①",      "٣",
                                           "\ufeff", "—",      "\u2003", "ﬁ",  "한국"};
  std::mt19937 random(7);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t foreign_share = below(3) == 0 ? 0 : 1 + below(4);
    std::string text;
    for (std::size_t n = below(12); n > 0; --n) {
      if (below(8) < foreign_share) {
        text += others[below(others.size())];
      } else if (below(3) == 0) {
        text += ' ';
      } else {
        text += static_cast<char>(below(0x80));
      }
    }
    std::vector<std::string_view> expected = icu_words(text);
    std::erase_if(expected, [](std::string_view word) { return words(word).empty(); });
    ASSERT_EQ(written(text), expected) << '"' << text << '"';
  }
}

TEST(Stem, JoinsTheFormsOfAWord) {
  EXPECT_EQ(stem("running"), "run");
  EXPECT_EQ(stem("allergies"), stem("allergy"));
  EXPECT_EQ(stem("elena's"), stem("elena"));
  EXPECT_EQ(stem(""), "");
}

TEST(Stem, DependsOnTheLanguage) {
  EXPECT_EQ(stem("häuser", "german"), "haus");
  EXPECT_EQ(stem("häuser", "de"), "haus");
  EXPECT_EQ(stem("chevaux", "french"), "cheval");
}

TEST(Stem, LeavesWordsOfUnknownLanguagesAsTheyAre) {
  EXPECT_EQ(stem("running", "klingon"), "running");
  EXPECT_EQ(stem("running", ""), "running");
}

TEST(Stem, LeavesVeryLongWordsAsTheyAre) {
  const std::string word = std::string(kLongestWord, 'x') + "ing";
  EXPECT_EQ(stem(word), word);
}

}  // namespace
}  // namespace maas::text
