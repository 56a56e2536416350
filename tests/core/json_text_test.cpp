#include "core/json_text.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(AppendJson, EscapesWhatMustBe) {
  const std::string_view text("a\"\\\n\0é😀", 12);
  std::string out = "x";
  append_json(out, text);
  EXPECT_EQ(boost::json::parse(out.substr(1)).as_string(), text);
}

TEST(AppendJson, WritesLongTextsWhole) {
  std::string out;
  append_json(out, std::string(100'000, '"'));
  EXPECT_EQ(
      out, "\"" + [] {
        std::string escaped;
        for (int i = 0; i < 100'000; ++i) escaped += "\\\"";
        return escaped;
      }() + "\"");
}

TEST(AppendJson, WritesValues) {
  std::string out;
  append_json(out, boost::json::value({{"a", {1, nullptr, true}}}));
  EXPECT_EQ(out, R"({"a":[1,null,true]})");
}

}  // namespace
}  // namespace maas
