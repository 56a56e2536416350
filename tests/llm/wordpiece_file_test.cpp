#include "llm/wordpiece_file.hpp"

#include "core/error.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace maas::llm {
namespace {

namespace json = boost::json;

using Ids = std::vector<std::int64_t>;

// A whole file; each test changes a part.
json::value tokenizer() {
  return json::parse(R"({
    "truncation": {"max_length": 2},
    "padding": {"strategy": {"Fixed": 128}},
    "added_tokens": [
      {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": true, "normalized": false},
      {"id": 1, "content": "[UNK]"}
    ],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                   "strip_accents": null, "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
      "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                         "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100,
              "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "cafe": 4, "café": 5,
                        "Cafe": 6, "##s": 7}}
  })");
}

json::value changed(const char* pointer, const char* value) {
  json::value file = tokenizer();
  file.set_at_pointer(pointer, json::parse(value));
  return file;
}

Ids encode(const json::value& file, std::string_view text) {
  return WordPiece(read_wordpiece(file)).encode(text, 16);
}

TEST(WordPieceFile, SaysWhatStandsAroundATextAndWhatIsSpecial) {
  EXPECT_EQ(encode(tokenizer(), "Cafés[PAD]"), (Ids{2, 4, 7, 0, 3}));
}

TEST(WordPieceFile, StripsAccentsAsItSaysOrElseWithTheCase) {
  constexpr const char* kLowercase = "/normalizer/lowercase";
  constexpr const char* kStrip = "/normalizer/strip_accents";
  EXPECT_EQ(encode(changed(kLowercase, "false"), "Cafe café"), (Ids{2, 6, 5, 3}));
  EXPECT_EQ(encode(changed(kStrip, "false"), "Café"), (Ids{2, 5, 3}));
  json::value cased = changed(kLowercase, "false");
  cased.set_at_pointer(kStrip, true);
  EXPECT_EQ(encode(cased, "Café"), (Ids{2, 6, 3}));
}

TEST(WordPieceFile, ChangesNothingWithoutANormalizer) {
  EXPECT_EQ(encode(changed("/normalizer", "null"), "Cafe café"), (Ids{2, 6, 5, 3}));
}

TEST(WordPieceFile, KnowsThePostProcessorsOfBertAndRoberta) {
  for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
    json::value file = tokenizer();
    file.set_at_pointer("/post_processor",
                        json::value{{"type", type}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}});
    EXPECT_EQ(encode(file, "cafe"), (Ids{2, 4, 3})) << type;
  }
  EXPECT_EQ(encode(changed("/post_processor", "null"), "cafe"), Ids{4});
}

struct Refused {
  const char* pointer;
  const char* value;
  const char* said;
};

class RefusedWordPieceFile : public testing::TestWithParam<Refused> {};

TEST_P(RefusedWordPieceFile, IsToldWhatIsWrong) {
  try {
    WordPiece refused(read_wordpiece(changed(GetParam().pointer, GetParam().value)));
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::invalid_argument);
    EXPECT_NE(std::string_view(error.what()).find(GetParam().said), std::string_view::npos)
        << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedWordPieceFile,
    testing::Values(
        Refused{"", "[]", "no object"}, Refused{"", "{}", "lacks model"},
        Refused{"/model/type", R"("BPE")", "model is BPE, and only WordPiece"},
        Refused{"/model/type", R"("Unigram")", "model is Unigram"},
        Refused{"/model/vocab", "null", "lacks vocab"},
        Refused{"/model/vocab", "{}", "lacks the token [UNK]"},
        Refused{"/model/vocab", R"({"[UNK]":"one"})", "vocab"},
        Refused{"/model/vocab", R"({"[UNK]":-1})", "vocab"},
        Refused{"/model/unk_token", "7", "unk_token"},
        Refused{"/model/continuing_subword_prefix", R"("")", "prefix is empty"},
        Refused{"/model/max_input_chars_per_word", "-1", "max_input_chars_per_word"},
        Refused{"/normalizer", R"({"type":"Precompiled"})", "normalizer is Precompiled"},
        Refused{"/normalizer/lowercase", "3", "lowercase"},
        Refused{"/pre_tokenizer", "null", "lacks pre_tokenizer"},
        Refused{"/pre_tokenizer", R"({"type":"Metaspace"})", "Metaspace"},
        Refused{"/post_processor", R"({"type":"ByteLevel"})", "ByteLevel"},
        Refused{"/post_processor/special_tokens", "{}", "lacks [CLS]"},
        Refused{"/post_processor/single", "[7]", "post_processor has 7"},
        Refused{"/added_tokens", "{}", "added_tokens"},
        Refused{"/added_tokens", R"([{"id":9}])", "lacks a field content"},
        Refused{"/added_tokens", R"([{"id":9,"content":"x","single_word":true}])", "single_word"}));

}  // namespace
}  // namespace maas::llm
