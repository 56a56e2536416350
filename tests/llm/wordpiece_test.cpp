#include "llm/wordpiece.hpp"

#include "core/error.hpp"
#include "text/bert_words.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace maas::llm {
namespace {

using Words = std::vector<std::string>;
using Ids = std::vector<std::int64_t>;

Words words(std::string_view text) {
  Words found;
  text::BertWords reader(text);
  while (const auto word = reader.next()) found.emplace_back(*word);
  return found;
}

struct WordsCase {
  std::string_view name;
  std::string_view text;
  Words words;
};

class BertWordsTest : public testing::TestWithParam<WordsCase> {};

TEST_P(BertWordsTest, AreThoseOfTheReference) {
  EXPECT_EQ(words(GetParam().text), GetParam().words);
}

using namespace std::string_view_literals;

INSTANTIATE_TEST_SUITE_P(
    All, BertWordsTest,
    testing::Values(
        WordsCase{"Nothing", "", {}}, WordsCase{"WhiteSpaceAlone", " \t\r\n\u00A0\u3000", {}},
        WordsCase{"LowerCase", "Hello WORLD", {"hello", "world"}},
        WordsCase{"Punctuation", "don't -- stop!", {"don", "'", "t", "-", "-", "stop", "!"}},
        WordsCase{"AsciiSymbolsArePunctuation", "a+b=$5~", {"a", "+", "b", "=", "$", "5", "~"}},
        WordsCase{"OtherSymbolsAreNot", "a±b€", {"a±b€"}},
        WordsCase{"Accents", "Crème Brûlée Ångström ñ", {"creme", "brulee", "angstrom", "n"}},
        WordsCase{"CombiningMarks", "e\u0301\u0327a", {"ea"}},
        WordsCase{"DottedCapitalI", "\u0130stanbul", {"istanbul"}},
        WordsCase{"CapitalSigmaIsNeverFinal", "ΟΔΟΣ", {"οδοσ"}},
        WordsCase{"Ideographs", "我爱NLP", {"我", "爱", "nlp"}},
        WordsCase{"HangulFallsApart", "한", {"\u1112\u1161\u11AB"}},
        WordsCase{"KanaIsOneWord", "ひらがな", {"ひらかな"}},
        WordsCase{"ControlsAreDropped", "a\0b\x07\u200B\u00ADc\uFFFD"sv, {"abc"}},
        WordsCase{"PrivateUseIsDropped", "a\uE000b", {"ab"}},
        WordsCase{"UnassignedIsKept", "a\u0378b", {"a\u0378b"}},
        WordsCase{"NotUtf8IsDropped",
                  "a\xFF\xC3"
                  "b\xE2\x82",
                  {"ab"}},
        WordsCase{"Emoji", "ok👍🏽!", {"ok👍🏽", "!"}},
        WordsCase{"DecompositionToPunctuation", "a\u037Eb", {"a", ";", "b"}},
        WordsCase{"PunctuationOfUnicode8", "a\u166Db", {"a", "\u166D", "b"}},
        WordsCase{"LaterPunctuationIsNone", "a\u2E52b", {"a\u2E52b"}}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(BertWords, CutsWordsThatNoVocabularyHas) {
  const std::string longest(text::kLongestBertWord, 'a');
  EXPECT_EQ(words(longest + " b"), (Words{longest, "b"}));
  EXPECT_EQ(words(longest + "aaaa b"), (Words{longest + "a", "b"}));
}

// A token a line: its number is its id.
constexpr const char* kVocabulary =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\nunable\n!\n##a\na\né\n##字\n字\n";
enum : std::int64_t { kPad, kUnk, kCls, kSep, kUn, kAff, kAble, kUnable, kMark, kNextA, kA };

struct IdsCase {
  std::string_view name;
  std::string text;
  Ids ids;  // between [CLS] and [SEP]
};

class WordPieceTest : public testing::TestWithParam<IdsCase> {};

TEST_P(WordPieceTest, TakesTheLongestPieces) {
  const WordPiece tokenizer(kVocabulary);
  Ids expected{kCls};
  expected.insert(expected.end(), GetParam().ids.begin(), GetParam().ids.end());
  expected.push_back(kSep);
  EXPECT_EQ(tokenizer.encode(GetParam().text, 256), expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, WordPieceTest,
    testing::Values(IdsCase{"Nothing", "", {}}, IdsCase{"Whole", "Unable!", {kUnable, kMark}},
                    IdsCase{"Pieces", "unaffable", {kUn, kAff, kAble}},
                    IdsCase{"AnUnknownEndMakesTheWordUnknown", "unaffablex un", {kUnk, kUn}},
                    IdsCase{"AnUnknownBeginningToo", "xun", {kUnk}},
                    IdsCase{"LongestWord", std::string(100, 'a'),
                            [] {
                              Ids ids(100, kNextA);
                              ids[0] = kA;
                              return ids;
                            }()},
                    IdsCase{"LongerWord", std::string(101, 'a') + " a", {kUnk, kA}},
                    IdsCase{"SpecialTokens", "[CLS]un[PAD][UNK] a", {kCls, kUn, kPad, kUnk, kA}},
                    IdsCase{"NotSpecialWithoutABracket", "[CLS a", {kUnk, kUnk, kA}},
                    IdsCase{"NotSpecialInLowerCase", "[cls]", {kUnk, kUnk, kUnk}}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(WordPiece, CutsTextsAtTheLimit) {
  const WordPiece tokenizer(kVocabulary);
  EXPECT_EQ(tokenizer.encode("a a a", 5), (Ids{kCls, kA, kA, kA, kSep}));
  EXPECT_EQ(tokenizer.encode("a a a", 4), (Ids{kCls, kA, kA, kSep}));
  EXPECT_EQ(tokenizer.encode("a unaffable", 4), (Ids{kCls, kA, kUn, kSep}));
  EXPECT_EQ(tokenizer.encode("a[PAD][PAD]", 4), (Ids{kCls, kA, kPad, kSep}));
  EXPECT_EQ(tokenizer.encode("a", 2), (Ids{kCls, kSep}));
}

TEST(WordPiece, ReadsAVocabularyOfWindows) {
  const WordPiece tokenizer("[UNK]\r\n[CLS]\r\n[SEP]\r\nab\r\n##c");
  EXPECT_EQ(tokenizer.size(), 5U);
  EXPECT_EQ(tokenizer.encode("abc", 8), (Ids{1, 3, 4, 2}));
}

TEST(WordPiece, RefusesAVocabularyWithoutItsSpecialTokens) {
  for (const char* vocabulary : {"", "a\nb\n", "[CLS]\n[SEP]\n", "[UNK]\n[CLS]\n"}) {
    EXPECT_THROW(WordPiece{vocabulary}, Error) << vocabulary;
  }
}

}  // namespace
}  // namespace maas::llm
