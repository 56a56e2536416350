#include "api/json_body.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace maas::api {
namespace {

TEST(ParseJson, KeepsWhatJsonCanSay) {
  for (const char* text :
       {"null", "true", R"([1,-2,"a\u0000b",{"k":[]}])", "9223372036854775807",
        "-9223372036854775808", "18446744073709551615", R"("😀")", R"({"a":{"b":{"c":null}}})"}) {
    EXPECT_EQ(boost::json::serialize(parse_json(text)), text);
  }
  EXPECT_EQ(parse_json(" 0.1 ").as_double(), 0.1);
  EXPECT_EQ(parse_json("1.7976931348623157e308").as_double(), 1.7976931348623157e308);
  EXPECT_EQ(parse_json(R"("\ud83d\ude00")").as_string(), "😀");
}

TEST(ParseJson, TakesTheLastOfDuplicateKeys) {
  EXPECT_EQ(boost::json::serialize(parse_json(R"({"a":1,"a":2})")), R"({"a":2})");
}

class RefusedJson : public testing::TestWithParam<std::string> {};

TEST_P(RefusedJson, NamesWhereItGoesWrong) {
  try {
    parse_json(GetParam());
    FAIL() << GetParam();
  } catch (const JsonSyntaxError& error) {
    EXPECT_LE(error.offset(), GetParam().size());
    EXPECT_FALSE(std::string(error.what()).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RefusedJson,
                         testing::Values("", " ", "{", "[1,]", "{} x", "1 2", "NaN", "Infinity",
                                         "-Infinity", "nul", "'a'", "{a:1}", "// c\n1", "01", "+1",
                                         ".5", "1.", "18446744073709551616", "-9223372036854775809",
                                         "123456789012345678901234567890", "1e400", "-1e400",
                                         "{\"m\":{\"n\":99999999999999999999}}", "\"\xff\"",
                                         "\"\xc0\x80\"", "\"\xed\xa0\x80\"", R"("\ud800")",
                                         R"("\udc00")", R"("\ud800\u0041")", "\"\n\"", "\"a",
                                         std::string("\"\0\"", 3),
                                         std::string(129, '[') + std::string(129, ']')));

TEST(ParseJson, GoesAHundredAndTwentyEightLevelsDeep) {
  EXPECT_NO_THROW(parse_json(std::string(128, '[') + std::string(128, ']')));
}

}  // namespace
}  // namespace maas::api
