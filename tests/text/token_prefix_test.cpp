#include "text/token_counter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace maas::text {
namespace {

constexpr std::array kEncodings{Encoding::cl100k_base, Encoding::o200k_base};

using Characters = std::vector<std::string>;

std::string joined(const Characters& characters) {
  std::string text;
  for (const std::string& character : characters) text += character;
  return text;
}

// Counts every candidate.
std::string longest_prefix(const Characters& characters, std::int64_t max_tokens,
                           Encoding encoding) {
  std::string prefix;
  std::string longest;
  for (const std::string& character : characters) {
    prefix += character;
    if (count_tokens(prefix, encoding) <= max_tokens) longest = prefix;
  }
  return longest;
}

void expect_longest_for_all_limits(const Characters& characters) {
  const std::string text = joined(characters);
  for (const Encoding encoding : kEncodings) {
    const std::int64_t tokens = count_tokens(text, encoding);
    for (std::int64_t limit = 0; limit <= tokens + 1; ++limit) {
      EXPECT_EQ(prefix_within(text, limit, encoding), longest_prefix(characters, limit, encoding))
          << text << ", at most " << limit << " tokens";
    }
  }
}

Characters bytes_of(std::string_view ascii) {
  Characters characters;
  for (const char c : ascii) characters.emplace_back(1, c);
  return characters;
}

TEST(TokenPrefix, IsTheLongestThatFits) {
  expect_longest_for_all_limits(bytes_of("The quick brown fox, it's said, jumps over 12345 dogs!"));
  expect_longest_for_all_limits(bytes_of("def f(x):\n\n\n    return  x + 1\n\n    # end  \n  "));
  expect_longest_for_all_limits(bytes_of(" antidisestablishmentarianism pneumonoultramicroscopic"));
}

TEST(TokenPrefix, EndsBetweenCharactersNotWithinThem) {
  expect_longest_for_all_limits({"n", "a", "i\u0308", "v", "e\u0301\u0302\u0303", " ", "c", "a"});
  expect_longest_for_all_limits(
      {"a", "👩\u200D👩\u200D👧\u200D👦", " ", "👍🏽", "🇩🇪", "🇫🇷", "❤\uFE0F", "b"});
  expect_longest_for_all_limits({"हि", "न्दी", " ", "भा", "षा", "字", "한", "\r\n", "\r\n", "x"});
}

TEST(TokenPrefix, IsTheLongestInAnyMixtureOfShortRuns) {
  const Characters alphabet{"a",  "the", "A",    "'",      "'s", " ", " ",
                            "\n", "\n",  "\t",   "1",      "23", "!", "e\u0301",
                            "字", "🙂",  "👍🏽", "\u3000", "/",  "é", "ひ"};
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    Characters characters;
    while (characters.size() < 25) {
      for (const char letter : alphabet[random() % alphabet.size()]) {
        const bool continues = (static_cast<unsigned char>(letter) & 0xC0U) == 0x80;
        if (continues)
          characters.back() += letter;
        else
          characters.emplace_back(1, letter);
      }
    }
    for (std::size_t at = 1; at < characters.size();) {  // what joins the character before it
      const bool joins = characters[at] == "\u0301" || characters[at] == "🏽";
      if (joins && characters[at - 1] != "\n" && characters[at - 1] != "\t") {
        characters[at - 1] += characters[at];
        characters.erase(characters.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        ++at;
      }
    }
    expect_longest_for_all_limits(characters);
  }
}

TEST(TokenPrefix, IsAllOfATextThatFits) {
  const std::string text = "Nothing has to go.";
  for (const Encoding encoding : kEncodings) {
    EXPECT_EQ(prefix_within(text, count_tokens(text, encoding), encoding), text);
    EXPECT_EQ(prefix_within(text, std::numeric_limits<std::int64_t>::max(), encoding), text);
    EXPECT_EQ(prefix_within({}, 5, encoding), "");
  }
}

TEST(TokenPrefix, IsNothingWhereNoTokensAreLeft) {
  for (const Encoding encoding : kEncodings) {
    for (const std::int64_t limit :
         {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
      EXPECT_EQ(prefix_within("text", limit, encoding), "");
    }
  }
}

TEST(TokenPrefix, PointsIntoTheText) {
  const std::string text = "one two three";
  EXPECT_EQ(prefix_within(text, 2, Encoding::o200k_base).data(), text.data());
}

TEST(TokenPrefix, IsNothingWhereTheFirstCharacterIsTooLong) {
  EXPECT_EQ(prefix_within("👩\u200D👩\u200D👧\u200D👦", 1, Encoding::o200k_base), "");
  std::string overloaded = "a";
  for (int i = 0; i < 1000; ++i) overloaded += "\u0301";
  EXPECT_EQ(prefix_within(overloaded, 100, Encoding::o200k_base), "");
}

TEST(TokenPrefix, FillsTheLimitInLongRuns) {
  struct Run {
    std::string_view character;
    std::int64_t missing;  // tokens that a character more could need
  };
  for (const Run& run : std::vector<Run>{
           {"a", 1}, {" ", 1}, {"\n", 1}, {"字", 3}, {"(", 1}, {"aA", 2}, {"👩\u200D👧", 8}}) {
    SCOPED_TRACE(run.character);
    std::string text = "Begin. ";
    for (int i = 0; i < 20'000; ++i) text += run.character;
    for (const Encoding encoding : kEncodings) {
      for (const std::int64_t limit : {10, 100, 5000}) {
        const std::string_view prefix = prefix_within(text, limit, encoding);
        const std::int64_t tokens = count_tokens(prefix, encoding);
        EXPECT_LE(tokens, limit);
        EXPECT_GE(tokens, std::min(limit, count_tokens(text, encoding)) - run.missing);
      }
    }
  }
}

}  // namespace
}  // namespace maas::text
