#include "text/token_counter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace maas::text {
namespace {

using namespace std::string_view_literals;

constexpr std::array kEncodings{Encoding::cl100k_base, Encoding::o200k_base};

struct Counts {
  std::string_view text;
  std::int64_t cl100k_base;
  std::int64_t o200k_base;
};

// tiktoken's own counts.
const std::vector<Counts> kKnownCounts{
    {""sv, 0, 0},
    {"a"sv, 1, 1},
    {" "sv, 1, 1},
    {"\n"sv, 1, 1},
    {"hello world"sv, 2, 2},
    {"Hello, world!"sv, 4, 4},
    {"The quick brown fox jumps over the lazy dog."sv, 10, 10},
    {"antidisestablishmentarianism"sv, 6, 6},
    {" antidisestablishmentarianism"sv, 6, 6},
    {"I'm sure they'll say it's what we've done, don't you'd?"sv, 18, 12},
    {"I'M SURE THEY'LL"sv, 7, 7},
    {"it's It'S IT'S it’s"sv, 8, 7},
    {"1234567890"sv, 4, 4},
    {"3.14159, 1,000,000"sv, 11, 11},
    {"HTTPServer getHTTPResponseCode XMLHttpRequest"sv, 7, 8},
    {"snake_case_name = other->member[42];"sv, 10, 10},
    {"def f(x):\n    return x + 1\n"sv, 11, 11},
    {"    indented"sv, 3, 3},
    {"\t\tindented"sv, 4, 4},
    {"a   b"sv, 3, 3},
    {"a \n b"sv, 3, 3},
    {"a\n\n\nb"sv, 3, 3},
    {"trailing   "sv, 3, 3},
    {"trailing \n "sv, 4, 4},
    {"\r\n\r\n"sv, 1, 1},
    {"end\r\n\r\n  next"sv, 4, 4},
    {" \u00A0\u3000x"sv, 3, 3},
    {"你好，世界"sv, 6, 3},
    {"東京都の天気は晴れです。"sv, 13, 9},
    {"안녕하세요 세계"sv, 9, 3},
    {"Привет, мир!"sv, 7, 5},
    {"Ελληνικά"sv, 9, 3},
    {"العربية"sv, 5, 2},
    {"हिन्दी भाषा"sv, 11, 4},
    {"ภาษาไทย"sv, 9, 2},
    {"naïve café"sv, 4, 4},
    {"nai\u0308ve cafe\u0301"sv, 7, 5},
    {"e\u0301\u0302\u0303\u0304"sv, 8, 6},
    {"👍"sv, 3, 1},
    {"👍🏽"sv, 6, 3},
    {"👩\u200D👩\u200D👧\u200D👦"sv, 18, 11},
    {"🇩🇪🇫🇷"sv, 12, 8},
    {"❤\uFE0F"sv, 3, 1},
    {"🙂🙂🙂🙂🙂🙂"sv, 12, 6},
    {"<|endoftext|>"sv, 7, 7},
    {"<|fim_prefix|>a<|endofprompt|>"sv, 15, 14},
    {"\000"sv, 1, 1},
    {"a\000b"sv, 3, 3},
    {"\001\037\177"sv, 3, 3},
    {"\uFEFFbom"sv, 3, 2},
    {"\u180E\u180E"sv, 6, 6},
    {"\U0010FFFF"sv, 4, 4},
    {"\U0001E4D0\U000323AF"sv, 8, 8},
    {"𝔘𝔫𝔦𝔠𝔬𝔡𝔢"sv, 21, 21},
    {"ſ'ſ"sv, 5, 3},
    {"Ǆǆǅ"sv, 6, 6},
    {"²½Ⅷ٣"sv, 6, 5},
    {"://///\n\n"sv, 3, 3},
    {"!!!???..."sv, 3, 3},
    {"https://example.org/a/b?c=d&e=%20#f"sv, 14, 14},
    {"\"quoted\" 'single' `code`"sv, 9, 9},
    {"{\"role\": \"user\", \"content\": \"hi\"}"sv, 12, 12},
};

std::string repeated(std::string_view unit, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += unit;
  return text;
}

TEST(TokenCounter, CountsWhatTiktokenCounts) {
  for (const Counts& known : kKnownCounts) {
    SCOPED_TRACE(known.text);
    EXPECT_EQ(count_tokens(known.text, Encoding::cl100k_base), known.cl100k_base);
    EXPECT_EQ(count_tokens(known.text, Encoding::o200k_base), known.o200k_base);
  }
}

TEST(TokenCounter, CountsNothingInNoText) {
  for (const Encoding encoding : kEncodings) EXPECT_EQ(count_tokens({}, encoding), 0);
}

TEST(TokenCounter, CountsLongMonotonousRuns) {
  struct Run {
    std::string_view unit;
    std::int64_t cl100k_base;  // tokens of a thousand units
    std::int64_t o200k_base;
  };
  const std::vector<Run> runs{{"a", 125, 125},        {"\n", 32, 63},
                              {"\u0301", 1000, 1000}, {"👩\u200D👧", 8000, 5000},
                              {"aA", 2000, 1001},     {"ひA", 3000, 2000},
                              {" \n", 500, 500},      {"(", 250, 250},
                              {"字", 1000, 1000},     {"abcdefghijabcdefghij", 4000, 4000}};
  for (const Run& run : runs) {
    SCOPED_TRACE(run.unit);
    const std::string text = repeated(run.unit, 1000);
    EXPECT_EQ(count_tokens(text, Encoding::cl100k_base), run.cl100k_base);
    EXPECT_EQ(count_tokens(text, Encoding::o200k_base), run.o200k_base);
  }
}

TEST(TokenCounter, CountsLongTextsWithoutAPlaceToSplit) {
  constexpr std::size_t kSize = 1 << 18;
  for (const Encoding encoding : kEncodings) {
    EXPECT_EQ(count_tokens(std::string(kSize, 'a'), encoding), kSize / 8);
    EXPECT_EQ(count_tokens(std::string(kSize, 'A'), encoding), kSize / 8);
    EXPECT_EQ(count_tokens(repeated(" \n", kSize / 2), encoding), kSize / 4);
    EXPECT_EQ(count_tokens(repeated("\u0301", kSize / 2), encoding), kSize / 2);
  }
}

// tiktoken's own regular expressions overflow their stack on these.
TEST(TokenCounter, CountsLongRunsOfSpaces) {
  constexpr std::size_t kSize = 1 << 18;
  constexpr std::size_t kLongestToken = 128;
  for (const Encoding encoding : kEncodings) {
    EXPECT_EQ(count_tokens(std::string(kSize, ' '), encoding), kSize / kLongestToken);
    EXPECT_EQ(count_tokens(std::string(kSize, ' ') + " x", encoding), kSize / kLongestToken + 1);
  }
}

TEST(TokenCounter, MayBeUsedByManyThreadsAtOnce) {
  constexpr int kThreads = 8;
  std::vector<std::int64_t> wrong(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::int64_t& mine : wrong) {
      threads.emplace_back([&mine] {
        for (const Counts& known : kKnownCounts) {
          mine += count_tokens(known.text, Encoding::cl100k_base) != known.cl100k_base;
          mine += count_tokens(known.text, Encoding::o200k_base) != known.o200k_base;
        }
      });
    }
  }
  EXPECT_EQ(wrong, std::vector<std::int64_t>(kThreads));
}

TEST(EncodingOfModel, IsO200kForNewerModelsOfOpenAi) {
  for (const auto model :
       {"gpt-4o", "gpt-4o-mini", "gpt-4o-2024-08-06", "chatgpt-4o-latest", "gpt-4.1",
        "gpt-4.1-nano-2025-04-14", "gpt-4.5-preview", "gpt-5", "gpt-5-mini", "gpt-5.1-codex", "o1",
        "o1-preview", "o3", "o3-mini-2025-01-31", "o4-mini", "gpt-oss-120b"}) {
    EXPECT_EQ(encoding_of_model(model), Encoding::o200k_base) << model;
  }
}

TEST(EncodingOfModel, IsCl100kForOlderModelsOfOpenAi) {
  for (const auto model : {"gpt-4", "gpt-4-32k", "gpt-4-0613", "gpt-4-turbo-2024-04-09",
                           "gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-35-turbo",
                           "text-embedding-3-small", "text-embedding-ada-002", "davinci-002"}) {
    EXPECT_EQ(encoding_of_model(model), Encoding::cl100k_base) << model;
  }
}

TEST(EncodingOfModel, IsCl100kForModelsOfOthers) {
  for (const auto model : {"", "claude-sonnet-4", "llama-3.3-70b", "mistral-large", "o", "olmo-2",
                           "o1mega", "openai/", "qwen/qwen3-32b"}) {
    EXPECT_EQ(encoding_of_model(model), Encoding::cl100k_base) << model;
  }
}

TEST(EncodingOfModel, LooksBehindPrefixesAndAtNoCase) {
  EXPECT_EQ(encoding_of_model("openai/gpt-4o"), Encoding::o200k_base);
  EXPECT_EQ(encoding_of_model("openrouter/openai/o3-mini"), Encoding::o200k_base);
  EXPECT_EQ(encoding_of_model("openai/o1:free"), Encoding::o200k_base);
  EXPECT_EQ(encoding_of_model("azure/GPT-4o"), Encoding::o200k_base);
  EXPECT_EQ(encoding_of_model("ft:gpt-4o-mini-2024-07-18:acme::id"), Encoding::o200k_base);
  EXPECT_EQ(encoding_of_model("openai/gpt-4"), Encoding::cl100k_base);
  EXPECT_EQ(encoding_of_model("ft:gpt-4-0613:acme::id"), Encoding::cl100k_base);
}

}  // namespace
}  // namespace maas::text
