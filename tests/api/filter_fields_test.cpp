#include "api/filter_fields.hpp"

#include "api/json_body.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace maas::api {
namespace {

namespace json = boost::json;
using ltm::Filter;

constexpr std::size_t kMaxConditions = 10;

std::optional<Filter> read(std::string_view text, FieldErrors& errors) {
  return read_filter(parse_json(text), {"body", "filters"}, kMaxConditions, errors);
}

// A filter in words: "all(category eq "fact", any(metadata[a.b] gt 1))".
std::string words_of(const Filter& filter) {
  static const char* const kKinds[] = {"all", "any", "none"};
  static const char* const kFields[] = {"category", "created_at", "updated_at", "memory"};
  static const char* const kOperators[] = {"eq",  "ne", "gt",  "gte",      "lt",
                                           "lte", "in", "nin", "contains", "icontains"};
  if (filter.kind == Filter::Kind::compare) {
    const std::string field = filter.field == Filter::Field::metadata
                                  ? "metadata[" + filter.key + "]"
                                  : kFields[static_cast<int>(filter.field)];
    return field + ' ' + kOperators[static_cast<int>(filter.op)] + ' ' +
           json::serialize(filter.operand);
  }
  std::string words = kKinds[static_cast<int>(filter.kind)];
  for (std::size_t i = 0; i < filter.parts.size(); ++i) {
    words += (i == 0 ? "(" : ", ") + words_of(filter.parts[i]);
  }
  return filter.parts.empty() ? words : words + ')';
}

std::string read_as_words(std::string_view text) {
  FieldErrors errors;
  const auto filter = read(text, errors);
  for (const FieldError& error : errors.all()) ADD_FAILURE() << text << ": " << error.message;
  return filter ? words_of(*filter) : "";
}

// What is wrong, as "place: type", in order. Places are told from within the filters.
std::string told(std::string_view text) {
  FieldErrors errors;
  EXPECT_FALSE(read(text, errors)) << text;
  std::string words;
  for (const FieldError& error : errors.all()) {
    const json::array& location = error.location;
    EXPECT_TRUE(location.size() >= 2 && location[0] == "body" && location[1] == "filters");
    const json::array inside(location.begin() + 2, location.end());
    words += (words.empty() ? "" : "; ") + json::serialize(inside) + ": " + error.type;
  }
  return words;
}

std::string message(std::string_view text) {
  FieldErrors errors;
  read(text, errors);
  return errors.all().empty() ? "" : errors.all()[0].message;
}

TEST(ReadFilter, ReadsEveryForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "all"},
      {R"({"AND":[]})", "all(all)"},
      {R"({"OR":[]})", "all(any)"},
      {R"({"NOT":[]})", "all(none)"},
      {R"({"NOT":{}})", "all(none(all))"},
      {R"({"category":"fact"})", R"(all(category eq "fact"))"},
      {R"({"memory":"m"})", R"(all(memory eq "m"))"},
      {R"({"category":"fact","memory":"m"})", R"(all(category eq "fact", memory eq "m"))"},
      {R"({"AND":[{"memory":"a"},{"memory":"b","category":"fact"}]})",
       R"(all(all(all(memory eq "a"), all(memory eq "b", category eq "fact"))))"},
      {R"({"OR":[{"memory":"a"}],"memory":"b"})", R"(all(any(all(memory eq "a")), memory eq "b"))"},
      {R"({"NOT":{"memory":"a"}})", R"(all(none(all(memory eq "a"))))"},
      {R"({"NOT":[{"memory":"a"},{"memory":"b"}]})",
       R"(all(none(all(memory eq "a"), all(memory eq "b"))))"},
      {R"({"and":[],"or":[],"not":[]})", "all(all, any, none)"},
      {R"({"category":{"eq":"fact"}})", R"(all(category eq "fact"))"},
      {R"({"category":{"ne":"fact"}})", R"(all(category ne "fact"))"},
      {R"({"category":{"in":["fact","semantic"]}})", R"(all(category in ["fact","semantic"]))"},
      {R"({"category":{"nin":[]}})", "all(category nin [])"},
      {R"({"memory":{"contains":"Ä","icontains":"Ä"}})",
       R"(all(memory contains "Ä", memory icontains "ä"))"},
      {R"({"memory":{"icontains":"STRAßE ＡＢＣ"}})", R"(all(memory icontains "strasse abc"))"},
      {R"({"metadata.a":1})", "all(metadata[a] eq 1)"},
      {R"({"metadata.a.b":1})", "all(metadata[a.b] eq 1)"},
      {R"({"metadata..":1})", "all(metadata[.] eq 1)"},
      {R"({"metadata.AND":1})", "all(metadata[AND] eq 1)"},
      {R"({"metadata.a":null})", "all(metadata[a] eq null)"},
      {R"({"metadata.a":true})", "all(metadata[a] eq true)"},
      {R"({"metadata.a":[1,{"b":2}]})", R"(all(metadata[a] eq [1,{"b":2}]))"},
      {R"({"metadata.a":{"eq":{"b":2}}})", R"(all(metadata[a] eq {"b":2}))"},
      {R"({"metadata.a":{"gt":1,"gte":2,"lt":"x","lte":18446744073709551615}})",
       R"(all(metadata[a] gt 1, metadata[a] gte 2, metadata[a] lt "x", )"
       R"(metadata[a] lte 18446744073709551615))"},
      {R"({"metadata.a":{"in":[1,"b",null,[]]}})", R"(all(metadata[a] in [1,"b",null,[]]))"},
      {R"({"metadata.a":{"contains":null}})", "all(metadata[a] contains null)"},
      {R"({"metadata.a":{"icontains":"B"}})", R"(all(metadata[a] icontains "b"))"},
      {R"({"metadata.a":{"icontains":5}})", "all(metadata[a] icontains 5)"},
      {R"({"created_at":{"in":[0,"1970-01-01"]}})", "all(created_at in [0,0])"},
  };
  for (const auto& [text, words] : cases) EXPECT_EQ(read_as_words(text), words) << text;
}

TEST(ReadFilter, TurnsTimesIntoMicroseconds) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0"},
      {"-1", "-1000000"},
      {"1700000000", "1700000000000000"},
      {"1700000000.123457", "1700000000123457"},
      {"1e9", "1000000000000000"},
      {"253402300799", "253402300799000000"},
      {R"("2023-11-14T22:13:20Z")", "1700000000000000"},
      {R"("2023-11-14T22:13:20")", "1700000000000000"},
      {R"("2023-11-14 23:13:20.5+01:00")", "1700000000500000"},
      {R"("2023-11-14")", "1699920000000000"},
  };
  for (const auto& [time, micros] : cases) {
    for (const std::string name : {"created_at", "updated_at"}) {
      EXPECT_EQ(read_as_words("{\"" + name + "\":{\"gte\":" + time + "}}"),
                "all(" + name + " gte " + micros + ")");
    }
  }
}

TEST(ReadFilter, NamesThePlaceOfWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "[]: dict_type"},
      {"5", "[]: dict_type"},
      {R"("category")", "[]: dict_type"},
      {"null", "[]: dict_type"},
      {R"({"AND":{}})", R"(["AND"]: list_type)"},
      {R"({"or":"x"})", R"(["or"]: list_type)"},
      {R"({"NOT":5})", R"(["NOT"]: dict_type)"},
      {R"({"NOT":[5]})", R"(["NOT",0]: dict_type)"},
      {R"({"AND":[{},null]})", R"(["AND",1]: dict_type)"},
      {R"({"And":[]})", R"(["And"]: value_error)"},
      {R"({"colour":1})", R"(["colour"]: value_error)"},
      {R"({"":1})", R"([""]: value_error)"},
      {R"({"metadata":{"a":1}})", R"(["metadata"]: value_error)"},
      {R"({"metadata.":1})", R"(["metadata."]: value_error)"},
      {R"({"id":"x"})", R"(["id"]: value_error)"},
      {R"({"user_id":"u"})", R"(["user_id"]: value_error)"},
      {R"({"OR":[{"agent_id":"u"}]})", R"(["OR",0,"agent_id"]: value_error)"},
      {R"({"session_id":{"eq":"u"}})", R"(["session_id"]: value_error)"},
      {R"({"AND":[{},{"metadata.age":{"gt":true}}]})",
       R"(["AND",1,"metadata.age","gt"]: value_error)"},
      {R"({"NOT":{"AND":[{"metadata.a":{"like":1}}]}})",
       R"(["NOT","AND",0,"metadata.a","like"]: value_error)"},
      {R"({"metadata.a":{"GT":1}})", R"(["metadata.a","GT"]: value_error)"},
      {R"({"metadata.a":{"b":1}})", R"(["metadata.a","b"]: value_error)"},
      {R"({"metadata.a":{}})", R"(["metadata.a"]: value_error)"},
      {R"({"metadata.a":{"in":5}})", R"(["metadata.a","in"]: list_type)"},
      {R"({"metadata.a":{"nin":{"b":1}}})", R"(["metadata.a","nin"]: list_type)"},
      {R"({"metadata.a":{"lte":null}})", R"(["metadata.a","lte"]: value_error)"},
      {R"({"metadata.a":{"gt":[1]}})", R"(["metadata.a","gt"]: value_error)"},
      {R"({"category":"opinion"})", R"(["category"]: enum)"},
      {R"({"category":"Fact"})", R"(["category"]: enum)"},
      {R"({"category":null})", R"(["category"]: enum)"},
      {R"({"category":{"in":["fact","opinion",5]}})",
       R"(["category","in",1]: enum; ["category","in",2]: enum)"},
      {R"({"category":["fact"]})", R"(["category"]: value_error)"},
      {R"({"category":{"ne":["fact"]}})", R"(["category","ne"]: value_error)"},
      {R"({"category":{"gt":"fact"}})", R"(["category","gt"]: value_error)"},
      {R"({"category":{"contains":"fact"}})", R"(["category","contains"]: value_error)"},
      {R"({"memory":5})", R"(["memory"]: string_type)"},
      {R"({"memory":["a"]})", R"(["memory"]: value_error)"},
      {R"({"memory":{"in":["a",5]}})", R"(["memory","in",1]: string_type)"},
      {R"({"memory":{"contains":5}})", R"(["memory","contains"]: string_type)"},
      {R"({"memory":{"icontains":["a"]}})", R"(["memory","icontains"]: string_type)"},
      {R"({"memory":{"lt":"a"}})", R"(["memory","lt"]: value_error)"},
      {R"({"created_at":"soon"})", R"(["created_at"]: value_error)"},
      {R"({"created_at":"2026-02-29"})", R"(["created_at"]: value_error)"},
      {R"({"created_at":null})", R"(["created_at"]: value_error)"},
      {R"({"created_at":{"gt":true}})", R"(["created_at","gt"]: value_error)"},
      {R"({"created_at":{"gt":1e300}})", R"(["created_at","gt"]: value_error)"},
      {R"({"created_at":{"gt":-9223372036854775808}})", R"(["created_at","gt"]: value_error)"},
      {R"({"created_at":{"lt":253402300800}})", R"(["created_at","lt"]: value_error)"},
      {R"({"created_at":[0]})", R"(["created_at"]: value_error)"},
      {R"({"created_at":{"contains":"2026"}})", R"(["created_at","contains"]: value_error)"},
      {R"({"updated_at":{"in":[0,"x"]}})", R"(["updated_at","in",1]: value_error)"},
      {R"({"updated_at":{"nin":0}})", R"(["updated_at","nin"]: list_type)"},
  };
  for (const auto& [text, places] : cases) EXPECT_EQ(told(text), places) << text;
}

TEST(ReadFilter, NamesEverythingThatIsWrongAtOnce) {
  EXPECT_EQ(told(R"({"AND":[{"x":1},5,{"category":"opinion"}],"metadata.a":{"like":1,"in":5}})"),
            R"(["AND",0,"x"]: value_error; ["AND",1]: dict_type; ["AND",2,"category"]: enum; )"
            R"(["metadata.a","like"]: value_error; ["metadata.a","in"]: list_type)");
}

TEST(ReadFilter, SaysWhatIsExpected) {
  EXPECT_EQ(message(R"({"foo":1})"),
            "Value error, unknown field 'foo'; filter on category, created_at, updated_at, memory "
            "or metadata.<key>, or combine filters with AND, OR and NOT");
  EXPECT_EQ(message(R"({"metadata.a":{"greater":1}})"),
            "Value error, unknown operator 'greater'; use eq, ne, gt, gte, lt, lte, in, nin, "
            "contains or icontains");
  EXPECT_EQ(message(R"({"user_id":"u"})"),
            "Value error, the scope is given beside the filters, not in them");
  EXPECT_EQ(message(R"({"category":["fact"]})"),
            "Value error, use in or nin to compare with each value of a list");
  EXPECT_EQ(message(R"({"category":"x"})"),
            "Input should be 'semantic', 'episodic', 'fact' or 'preference'");
  EXPECT_EQ(message(R"({"memory":{"gt":"a"}})"),
            "Value error, a memory's text has no order; use eq, ne, in, nin, contains or "
            "icontains");
}

TEST(ReadFilter, KeepsTheInputOfAnError) {
  FieldErrors errors;
  read(R"({"OR":[{"metadata.a":{"gt":[1]}}]})", errors);
  ASSERT_EQ(errors.all().size(), 1u);
  EXPECT_EQ(json::serialize(errors.all()[0].input), "[1]");
}

TEST(ReadFilter, TakesSoManyConditionsAndNoMore) {
  const auto conditions = [](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      list += std::string(i == 0 ? "" : ",") + R"({"metadata.n":)" + std::to_string(i) + "}";
    }
    return R"({"OR":[)" + list + "]}";
  };
  EXPECT_NE(read_as_words(conditions(kMaxConditions)), "");
  EXPECT_EQ(told(conditions(kMaxConditions + 1)), R"(["OR",10,"metadata.n"]: value_error)");
  EXPECT_EQ(told(conditions(kMaxConditions + 5)), R"(["OR",10,"metadata.n"]: value_error)")
      << "told once";
  EXPECT_EQ(told(R"({"metadata.n":{"eq":1,"ne":2,"gt":3,"gte":4,"lt":5,"lte":6,"in":[],"nin":[],
                                   "contains":9,"icontains":10},"memory":"m"})"),
            R"(["memory"]: value_error)");
  EXPECT_NE(read_as_words(R"({"metadata.n":{"in":[1,2,3,4,5,6,7,8,9,10,11,12]}})"), "");
}

TEST(ReadFilter, GoesAsDeepAsJsonMay) {
  std::string text = "{}";
  std::string words = "all";
  for (int level = 1; level < 128; ++level) {
    text = R"({"NOT":)" + text + "}";
    words = "all(none(" + words + "))";
  }
  EXPECT_EQ(read_as_words(text), words);
}

}  // namespace
}  // namespace maas::api
