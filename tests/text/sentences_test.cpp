#include "text/sentences.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace maas::text {
namespace {

using namespace std::string_view_literals;

using Views = std::vector<std::string_view>;

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() + unit.size() <= bytes) text += unit;
  return text;
}

std::string without_spaces(std::string_view text) {
  std::string rest;
  for (const char c : text) {
    if (c != ' ' && c != '\n') rest += c;
  }
  return rest;
}

TEST(Sentences, EndAtPunctuation) {
  EXPECT_EQ(sentences("It rains. Does it? Yes! Well… maybe."),
            (Views{"It rains.", "Does it?", "Yes!", "Well… maybe."}));
}

TEST(Sentences, DoNotEndBehindAbbreviationsAndNumbers) {
  EXPECT_EQ(sentences("Dr. Jones met Mr. Smith, e.g. at 5 p.m. on Monday for $3.50 or so. Fine."),
            (Views{"Dr. Jones met Mr. Smith, e.g. at 5 p.m. on Monday for $3.50 or so.", "Fine."}));
}

TEST(Sentences, EndWherePeopleWriteWithoutCapitals) {
  EXPECT_EQ(sentences("i live in lisbon. my dog is rex. about approx. two etc. and so on"),
            (Views{"i live in lisbon.", "my dog is rex.", "about approx. two etc. and so on"}));
}

TEST(Sentences, EndAtIdeographicStops) {
  EXPECT_EQ(sentences("今日は東京です。明日は？はい！"),
            (Views{"今日は東京です。", "明日は？", "はい！"}));
}

TEST(Sentences, EndAtLineBreaks) {
  EXPECT_EQ(sentences("- milk\n- eggs\r\n\n| a | b |\n  return x;\n"),
            (Views{"- milk", "- eggs", "| a | b |", "return x;"}));
}

TEST(Sentences, KeepTheNumberOfAListItem) {
  EXPECT_EQ(sentences("1. Install it. 2. Run it.\n12. Stop\n3.\nEnd"),
            (Views{"1. Install it.", "2. Run it.", "12. Stop", "3.", "End"}));
}

TEST(Sentences, KeepUrlsAndAddressesWhole) {
  EXPECT_EQ(sentences("See https://x.org/a?b=1#c. Or ask jo.s@x.org!"),
            (Views{"See https://x.org/a?b=1#c.", "Or ask jo.s@x.org!"}));
}

TEST(Sentences, AreTrimmedAndNeverEmpty) {
  EXPECT_EQ(sentences(" \t one.  \u3000\n \n two "), (Views{"one.", "two"}));
  EXPECT_TRUE(sentences("").empty());
  EXPECT_TRUE(sentences(std::string_view()).empty());
  EXPECT_TRUE(sentences(" \n\u00a0\u2028 ").empty());
}

TEST(Sentences, MayHoldNul) { EXPECT_EQ(sentences("a\0b. C"sv), (Views{"a\0b."sv, "C"})); }

TEST(Sentences, ThatAreTooLongAreCutBetweenWords) {
  const std::string text = repeated("word ", 2000);
  const Views pieces = sentences(text);
  EXPECT_EQ(pieces.size(), 5U);
  for (const auto piece : pieces) {
    EXPECT_LE(piece.size(), kLongestSentence);
    EXPECT_TRUE(piece.ends_with("word")) << piece;
    EXPECT_TRUE(piece.starts_with("word")) << piece;
  }
}

TEST(Sentences, LoseNothingButSpaces) {
  const std::string text = repeated("One of these. Or: two, three!\nfour five? ", 4000) +
                           repeated("漢字かな", 2000) + repeated("x", 2000) +
                           repeated("👍🏽", 2000);
  std::string joined;
  for (const auto piece : sentences(text)) joined += piece;
  EXPECT_EQ(without_spaces(joined), without_spaces(text));
}

TEST(Sentences, AreCutBetweenCharactersIfAWordIsTooLong) {
  const std::string emoji = "👨‍👩‍👧";
  const std::string text = repeated(emoji, 4000);
  for (const auto piece : sentences(text)) {
    EXPECT_LE(piece.size(), kLongestSentence);
    EXPECT_EQ(piece.size() % emoji.size(), 0U);
  }
}

TEST(Sentences, OfTinyPiecesStillAdvance) {
  EXPECT_EQ(sentences("漢字", 2), (Views{"漢", "字"}));
  EXPECT_EQ(sentences("ab", 0), (Views{"a", "b"}));
}

TEST(Sentences, OfHostileTextsAreWithinTheLimit) {
  for (const auto unit : {"a", ".", "😀", "🇩🇪", "漢", "a.", ". ", "1. ", "a. ", "Mr. ", "?", "\n",
                          "!a", "\u0301\u0316", "\u200d", "ก", "abc. d"}) {
    for (const auto piece : sentences(repeated(unit, 1 << 20))) {
      ASSERT_FALSE(piece.empty());
      ASSERT_LE(piece.size(), kLongestSentence);
    }
  }
}

TEST(PrefixAtWord, IsTheWholeTextIfItFits) { EXPECT_EQ(prefix_at_word("one two", 7), "one two"); }

TEST(PrefixAtWord, EndsAtASpace) {
  EXPECT_EQ(prefix_at_word("one two three", 9), "one two");
  EXPECT_EQ(prefix_at_word("one two three", 7), "one two");
}

TEST(PrefixAtWord, EndsAtAWordWhereThereAreNoSpaces) {
  EXPECT_EQ(prefix_at_word("東京大学で勉強", 20), "東京大学で");
}

TEST(PrefixAtWord, EndsBetweenCharactersInsideALongWord) {
  EXPECT_EQ(prefix_at_word("aaaaaaaa", 5), "aaaaa");
  EXPECT_EQ(prefix_at_word("a e\u0301e\u0301e\u0301e\u0301", 9), "a e\u0301e\u0301");
  EXPECT_EQ(prefix_at_word("漢", 2), "");
}

TEST(Trim, TakesAwayUnicodeSpaces) {
  EXPECT_EQ(trim("\u3000 \u00a0a b\u2028\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
}

}  // namespace
}  // namespace maas::text
