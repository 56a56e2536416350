#include "text/stop_words.hpp"

#include "text/language.hpp"
#include "text/stop_word_lists.hpp"
#include "text/words.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace maas::text {
namespace {

TEST(StopWords, AreFunctionWordsAndTheirContractions) {
  for (const auto word : {"the", "a", "yourselves", "don't", "didn", "i'm", "which"}) {
    EXPECT_TRUE(is_stop_word(word)) << word;
  }
  for (const auto word : {"", "lisbon", "allergic", "12", "don", "won", "zebra"}) {
    EXPECT_FALSE(is_stop_word(word)) << word;
  }
}

TEST(StopWords, DependOnTheLanguage) {
  EXPECT_TRUE(is_stop_word("the", "en"));
  EXPECT_FALSE(is_stop_word("the", "german"));
  EXPECT_TRUE(is_stop_word("nicht", "german"));
  EXPECT_TRUE(is_stop_word("nicht", "de"));
  EXPECT_FALSE(is_stop_word("nicht"));
  EXPECT_TRUE(is_stop_word("être", "french"));
  EXPECT_TRUE(is_stop_word("что", "russian"));
  EXPECT_TRUE(is_stop_word("في", "arabic"));
}

TEST(StopWords, AreNoneInALanguageWithoutAList) {
  EXPECT_FALSE(is_stop_word("the", "klingon"));
  EXPECT_FALSE(is_stop_word("the", ""));
  EXPECT_TRUE(stop_words("tamil").empty());
}

TEST(StopWords, AreFoldedSortedAndOfLanguagesThatHaveAStemmer) {
  for (const StopWordList& list : foreign_stop_words()) {
    EXPECT_EQ(language_named(list.language), list.language);
    EXPECT_GE(list.words.size(), 50U) << list.language;
    EXPECT_TRUE(std::ranges::is_sorted(list.words)) << list.language;
    for (const std::string_view word : list.words) {
      const std::vector<Word> found = words(word);
      ASSERT_EQ(found.size(), 1U) << word;
      EXPECT_EQ(found[0].folded, word);
    }
  }
}

}  // namespace
}  // namespace maas::text
