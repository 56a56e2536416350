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

Words words(std::string_view text, text::BertRules rules = {}) {
  Words found;
  text::BertWords reader(text, rules);
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
  const std::string longest(text::BertRules().longest_word, 'a');
  EXPECT_EQ(words(longest + " b"), (Words{longest, "b"}));
  EXPECT_EQ(words(longest + "aaaa b"), (Words{longest + "a", "b"}));
}

TEST(BertWords, LeaveAsItIsWhatNoRuleTouches) {
  const text::BertRules none{.clean_text = false,
                             .handle_chinese_chars = false,
                             .strip_accents = false,
                             .lowercase = false};
  EXPECT_EQ(words("Crème\u00A0我爱NLP, \u200B\u0130", none),
            (Words{"Crème", "我爱NLP", ",", "\u200B\u0130"}));
}

TEST(BertWords, KeepAccentsInLowerCase) {
  EXPECT_EQ(words("CRÈME \u0130", {.strip_accents = false}), (Words{"crème", "i\u0307"}));
}

TEST(BertWords, KeepTheCaseWithoutAccents) {
  EXPECT_EQ(words("CRÈME", {.lowercase = false}), (Words{"CREME"}));
}

// The ids are the places in the list.
WordPieceParts parts() {
  WordPieceParts parts{.before = {2}, .after = {3}};
  for (const char* token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "unable",
                            "!", "##a", "a", "é", "##字", "字"}) {
    const auto id = static_cast<std::int32_t>(parts.vocabulary.size());
    parts.vocabulary.emplace_back(token, id);
    if (*token == '[') parts.specials.emplace_back(token, id);
  }
  return parts;
}
enum : std::int64_t { kPad, kUnk, kCls, kSep, kUn, kAff, kAble, kUnable, kMark, kNextA, kA };

struct IdsCase {
  std::string_view name;
  std::string text;
  Ids ids;  // between [CLS] and [SEP]
};

class WordPieceTest : public testing::TestWithParam<IdsCase> {};

TEST_P(WordPieceTest, TakesTheLongestPieces) {
  const WordPiece tokenizer(parts());
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
  const WordPiece tokenizer(parts());
  EXPECT_EQ(tokenizer.encode("a a a", 5), (Ids{kCls, kA, kA, kA, kSep}));
  EXPECT_EQ(tokenizer.encode("a a a", 4), (Ids{kCls, kA, kA, kSep}));
  EXPECT_EQ(tokenizer.encode("a unaffable", 4), (Ids{kCls, kA, kUn, kSep}));
  EXPECT_EQ(tokenizer.encode("a[PAD][PAD]", 4), (Ids{kCls, kA, kPad, kSep}));
  EXPECT_EQ(tokenizer.encode("a", 2), (Ids{kCls, kSep}));
}

TEST(WordPiece, TakesTheLongestSpecialToken) {
  WordPieceParts two = parts();
  two.specials.emplace_back("[CLS]x", 20);
  const WordPiece tokenizer(two);
  EXPECT_EQ(tokenizer.encode("a[CLS]xa[CLS]", 256), (Ids{kCls, kA, 20, kA, kCls, kSep}));
  EXPECT_EQ(tokenizer.largest_id(), 20);
}

TEST(WordPiece, AddsNothingThatIsNotWanted) {
  WordPieceParts bare = parts();
  bare.before.clear();
  bare.after.clear();
  EXPECT_EQ(WordPiece(bare).encode("a un", 256), (Ids{kA, kUn}));
  EXPECT_EQ(WordPiece(bare).encode("", 256), Ids{});
}

TEST(WordPiece, KnowsOtherMarksOfAContinuation) {
  WordPieceParts other{.continuing_prefix = "@"};
  other.vocabulary = {{"[UNK]", 0}, {"un", 1}, {"@able", 2}};
  EXPECT_EQ(WordPiece(other).encode("unable", 256), (Ids{1, 2}));
}

TEST(WordPiece, RefusesAVocabularyWithoutItsUnknownToken) {
  WordPieceParts none = parts();
  none.unknown = "<unk>";
  EXPECT_THROW(WordPiece{none}, Error);
}

}  // namespace
}  // namespace maas::llm
