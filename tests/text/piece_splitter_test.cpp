#include "text/piece_splitter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace maas::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces pieces(const PieceSplitter& splitter, std::string_view text) {
  Pieces result;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = splitter.piece_end(text, start);
    result.emplace_back(text.substr(start, end - start));
    start = end;
  }
  return result;
}

TEST(PieceSplitter, SplitsCl100kBase) {
  const PieceSplitter splitter(Encoding::cl100k_base);
  EXPECT_EQ(pieces(splitter, "I'm SURE they'Ll say: 12345!"),
            (Pieces{"I", "'m", " SURE", " they", "'Ll", " say", ":", " ", "123", "45", "!"}));
  EXPECT_EQ(pieces(splitter, "getHTTPName(_x)\n\n  y"),
            (Pieces{"getHTTPName", "(_", "x", ")\n\n", " ", " y"}));
  EXPECT_EQ(pieces(splitter, "a \n \n "), (Pieces{"a", " \n \n "}));
  EXPECT_EQ(pieces(splitter, "e\u0301a"), (Pieces{"e", "\u0301a"}));
}

TEST(PieceSplitter, SplitsO200kBase) {
  const PieceSplitter splitter(Encoding::o200k_base);
  EXPECT_EQ(pieces(splitter, "I'm SURE they'Ll say: 12345!"),
            (Pieces{"I'm", " SURE", " they'Ll", " say", ":", " ", "123", "45", "!"}));
  EXPECT_EQ(pieces(splitter, "getHTTPName(_x)\n\n  y"),
            (Pieces{"get", "HTTPName", "(_", "x", ")\n\n", " ", " y"}));
  EXPECT_EQ(pieces(splitter, "a \n \n "), (Pieces{"a", " \n \n", " "}));
  EXPECT_EQ(pieces(splitter, "e\u0301a"), (Pieces{"e\u0301a"}));
}

TEST(PieceSplitter, TakesNoMongolianVowelSeparatorForSpace) {
  const PieceSplitter splitter(Encoding::o200k_base);
  EXPECT_EQ(pieces(splitter, " \u180E!"), (Pieces{" \u180E!"}));
}

TEST(PieceSplitter, KnowsLettersMarksAndNumbersOfUnicode16) {
  const PieceSplitter splitter(Encoding::o200k_base);
  EXPECT_EQ(pieces(splitter, ".\U00010D50\U00010D70'll"), (Pieces{".\U00010D50\U00010D70'll"}));
  EXPECT_EQ(pieces(splitter, "\U00010D70\U00010D50"), (Pieces{"\U00010D70", "\U00010D50"}));
  EXPECT_EQ(pieces(splitter, "a\U00016100\u0897b"), (Pieces{"a\U00016100\u0897b"}));
  EXPECT_EQ(pieces(splitter, "\U0001CCF012\U0001CCF0"), (Pieces{"\U0001CCF012", "\U0001CCF0"}));
}

TEST(PieceSplitter, FindsTheSamePiecesWithoutJit) {
  const Pieces alphabet{"a", "b", "Z", "'",  "s",      "ll",     " ",      "  ", "\n",   "\r\n",
                        "1", "_", "é", "É",  "ǅ",      "ʰ",      "字",     "ひ", "🙂",   "\u0301",
                        "/", "!", "٣", "\t", "\u00A0", "\u3000", "\u200D", "ſ",  "word", "Word"};
  std::mt19937 random(1);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += alphabet[random() % alphabet.size()];
  for (const Encoding encoding : {Encoding::cl100k_base, Encoding::o200k_base}) {
    const PieceSplitter jit(encoding, PieceSplitter::Engine::jit);
    const PieceSplitter interpreter(encoding, PieceSplitter::Engine::interpreter);
    EXPECT_EQ(pieces(jit, text), pieces(interpreter, text));
  }
}

// More steps than the interpreter's default limit allows.
TEST(PieceSplitter, SplitsLongRunsWithoutJit) {
  constexpr std::size_t kSize = 12 << 20;
  const PieceSplitter splitter(Encoding::o200k_base, PieceSplitter::Engine::interpreter);
  EXPECT_EQ(splitter.piece_end(std::string(kSize, ' ') + "1", 0), kSize - 1);
}

}  // namespace
}  // namespace maas::text
