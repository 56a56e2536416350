#include "ltm/filter.hpp"

#include "ltm/filter_expressions.hpp"
#include "ltm/filter_model.hpp"
#include "text/folding.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <random>

namespace maas::ltm {
namespace {

namespace json = boost::json;
using Operator = Filter::Operator;
using std::chrono::days;
using std::chrono::hours;

json::value parse(std::string_view text) {
  json::parse_options options;
  options.numbers = json::number_precision::precise;
  return json::parse(text, {}, options);
}

// Filters as clients write them, but with times as microseconds.

const std::map<std::string_view, Operator> kOperators{{"eq", Operator::eq},
                                                      {"ne", Operator::ne},
                                                      {"gt", Operator::gt},
                                                      {"gte", Operator::gte},
                                                      {"lt", Operator::lt},
                                                      {"lte", Operator::lte},
                                                      {"in", Operator::in},
                                                      {"nin", Operator::nin},
                                                      {"contains", Operator::contains},
                                                      {"icontains", Operator::icontains}};
const std::map<std::string_view, Filter::Field> kFields{{"category", Filter::Field::category},
                                                        {"created_at", Filter::Field::created_at},
                                                        {"updated_at", Filter::Field::updated_at},
                                                        {"memory", Filter::Field::memory}};
const std::map<std::string_view, Filter::Kind> kGroups{
    {"AND", Filter::Kind::all_of}, {"OR", Filter::Kind::any_of}, {"NOT", Filter::Kind::none_of}};
constexpr std::string_view kMetadata = "metadata.";

Filter comparison(std::string_view key, std::string_view name, const json::value& operand) {
  Filter filter{.kind = Filter::Kind::compare, .op = kOperators.at(name), .operand = operand};
  if (key.starts_with(kMetadata)) {
    filter.field = Filter::Field::metadata;
    filter.key = key.substr(kMetadata.size());
  } else {
    filter.field = kFields.at(key);
  }
  if (filter.op == Operator::icontains && operand.is_string()) {
    filter.operand = json::string(text::folded(operand.get_string()));
  }
  return filter;
}

Filter filter_of(const json::value& expression) {
  Filter filter;
  for (const auto& [key, value] : expression.as_object()) {
    if (kGroups.contains(key)) {
      Filter group{.kind = kGroups.at(key)};
      for (const json::value& part : model::as_list(value)) group.parts.push_back(filter_of(part));
      filter.parts.push_back(std::move(group));
    } else {
      for (const auto& [name, operand] : model::as_operators(value)) {
        filter.parts.push_back(comparison(key, name, operand));
      }
    }
  }
  return filter;
}

// What is filtered.

const char* const kMetadataTexts[] = {"",
                                      "{}",
                                      R"({"n":1})",
                                      R"({"n":2})",
                                      R"({"n":2.5})",
                                      R"({"n":-3})",
                                      R"({"n":"2"})",
                                      R"({"n":null})",
                                      R"({"n":true})",
                                      R"({"n":false})",
                                      R"({"n":0})",
                                      R"({"n":-0.0})",
                                      R"({"n":9007199254740993})",
                                      R"({"n":9007199254740992.0})",
                                      R"({"n":18446744073709551615})",
                                      R"({"n":1.8446744073709552e19})",
                                      R"({"n":-9223372036854775808})",
                                      R"({"n":1e300})",
                                      R"({"n":[1,2,"three"]})",
                                      R"({"n":[1.0,2,"three"],"color":null})",
                                      R"({"n":{"deep":{"er":7},"x":[{"y":1}]}})",
                                      R"({"color":"Red"})",
                                      R"({"color":"dark red","n":3})",
                                      R"({"color":"STRASSE"})",
                                      R"({"color":""})",
                                      R"({"color":"été","tags":["é"]})",
                                      R"({"tags":["a","B","c"],"n":1})",
                                      R"({"tags":[]})",
                                      R"({"tags":["ü",null,5,["a"]]})",
                                      R"({"a.b":1,"a":{"b":2}})",
                                      R"({"a":{"b":2,"b.c":5}})",
                                      R"({"a.b":{"c":3},"a":{"b":{"d":4}}})",
                                      R"({"a":{"b":{"c":null}},"a.b":{"c":6}})",
                                      R"({"a":[{"b":1}],"":"empty",".":{"":1}})",
                                      R"({"day":"2024-05-08","n":"\u0000"})"};
const char* const kTexts[] = {"Red wine",   "a red car", "100 % wool", "Grüße aus Köln",
                              "東京 tower", "",          "ﬁne ＡＢＣ"};

std::vector<Memory> memories() {
  std::vector<Memory> all;
  for (const char* metadata : kMetadataTexts) {
    const auto number = static_cast<int>(all.size());
    all.push_back({.category = static_cast<Category>(number % 4),
                   .text = kTexts[number % std::size(kTexts)],
                   .metadata = metadata,
                   .created_at = Timestamp(days(number - 3)),
                   .updated_at = Timestamp(days(20) + hours(number % 5))});
  }
  return all;
}

json::object document_of(const Memory& memory) {
  return {{"category", to_string(memory.category)},
          {"memory", memory.text},
          {"created_at", memory.created_at.time_since_epoch().count()},
          {"updated_at", memory.updated_at.time_since_epoch().count()},
          {"metadata", memory.metadata.empty() ? json::object() : parse(memory.metadata)}};
}

// How many memories match, by the filter and by the model alike.
std::size_t matching(const json::value& expression) {
  static const std::vector<Memory> all = memories();
  const Filter filter = filter_of(expression);
  std::size_t count = 0;
  for (const Memory& memory : all) {
    const bool expected = model::matches(expression, document_of(memory));
    EXPECT_EQ(matches(filter, memory), expected)
        << json::serialize(expression) << " on " << json::serialize(document_of(memory));
    count += expected;
  }
  return count;
}

TEST(Filter, MeansWhatTheModelSays) {
  std::size_t telling = 0;
  for (const char* expression : test::kExpressions) {
    const std::size_t count = matching(parse(expression));
    telling += count > 0 && count < std::size(kMetadataTexts);
  }
  EXPECT_GT(telling, 80u) << "most of them match some memories and not all";
}

// Expressions out of the parts of the table above.
class Generator {
 public:
  json::object expression(int depth) {
    json::object result;
    const int keys = below(20) == 0 ? 0 : below(4) == 0 ? 2 : 1;
    for (int i = 0; i < keys; ++i) {
      if (depth > 0 && below(2) == 0) {
        result[pick({"AND", "OR", "NOT"})] = group(depth - 1);
      } else {
        add_comparisons(result);
      }
    }
    return result;
  }

 private:
  json::value group(int depth) {
    json::array parts;
    for (int count = below(4); count > 0; --count) parts.push_back(expression(depth));
    return parts;
  }

  void add_comparisons(json::object& result) {
    const json::object table =
        parse(test::kExpressions[below(std::size(test::kExpressions))]).as_object();
    for (const auto& [key, value] : table) {
      if (kGroups.contains(key)) continue;
      const json::object operators = model::as_operators(value);
      const json::value& operand = operators.begin()->value();
      const std::string_view name = operators.begin()->key();
      // Another operator in the place of the first one, or beside it.
      json::object changed = below(4) == 0 ? operators : json::object();
      if (name == "in" || name == "nin") {
        changed[pick({"in", "nin"})] = operand;
      } else if (below(4) == 0) {
        changed[pick({"in", "nin"})] = json::array{operand, below(3)};
      } else {
        changed[pick({"eq", "ne", "gt", "gte", "lt", "lte", "contains", "icontains"})] = operand;
      }
      result[key] = std::move(changed);
    }
  }

  int below(std::size_t end) {
    return static_cast<int>(std::uniform_int_distribution<std::size_t>(0, end - 1)(random_));
  }
  const char* pick(std::initializer_list<const char*> words) {
    return words.begin()[below(words.size())];
  }

  std::mt19937_64 random_{41};
};

TEST(Filter, OfAnyShapeMeansWhatTheModelSays) {
  Generator generator;
  std::size_t telling = 0;
  for (int i = 0; i < 2'000 && !testing::Test::HasFailure(); ++i) {
    const std::size_t count = matching(generator.expression(i % 5));
    telling += count > 0 && count < std::size(kMetadataTexts);
  }
  EXPECT_GT(telling, 600u);
}

TEST(Filter, DecidesTheHardCases) {
  const std::tuple<const char*, const char*, bool> cases[] = {
      {R"({"n":9007199254740993})", R"({"metadata.n":9007199254740992.0})", false},
      {R"({"n":9007199254740993})", R"({"metadata.n":{"gt":9007199254740992.0}})", true},
      {R"({"n":18446744073709551615})", R"({"metadata.n":{"lt":18446744073709551616.0}})", true},
      {R"({"n":-1})", R"({"metadata.n":18446744073709551615})", false},
      {R"({"n":1})", R"({"metadata.n":true})", false},
      {R"({"n":1})", R"({"metadata.n":"1"})", false},
      {R"({"n":-0.0})", R"({"metadata.n":0})", true},
      {R"({"n":["x"]})", R"({"metadata.n":"x"})", false},
      {R"({"n":["x"]})", R"({"metadata.n":{"contains":"x"}})", true},
      {R"({"n":["xy"]})", R"({"metadata.n":{"contains":"x"}})", false},
      {R"({"n":["xy"]})", R"({"metadata.n":{"icontains":"XY"}})", true},
      {R"({"n":{"x":1}})", R"({"metadata.n":{"contains":"x"}})", false},
      {R"({"n":12})", R"({"metadata.n":{"contains":1}})", false},
      {R"({})", R"({"metadata.n":null})", true},
      {R"({})", R"({"metadata.n":{"ne":1}})", true},
      {R"({})", R"({"metadata.n":{"nin":[1]}})", true},
      {R"({})", R"({"metadata.n":{"in":[null]}})", true},
      {R"({})", R"({"metadata.n":{"lte":1}})", false},
      {R"({})", R"({"NOT":{"metadata.n":{"lte":1}}})", true},
      {R"({})", R"({"metadata.n":{"contains":""}})", false},
      {R"({"n":null})", R"({"metadata.n":{"gte":0}})", false},
      {R"({"n":"\uffff"})", R"({"metadata.n":{"lt":"\ud800\udc00"}})", true},
      {R"({"n":"10"})", R"({"metadata.n":{"lt":"9"}})", true},
      {R"({"n":"ΣΊΣΥΦΟΣ"})", R"({"metadata.n":{"icontains":"σίσυφος"}})", true},
      {R"({"a.b":1,"a":{"b":2}})", R"({"metadata.a.b":1})", true},
      {R"({"a.b":null,"a":{"b":2}})", R"({"metadata.a.b":null})", true},
      {R"({"a":{"b.c":3}})", R"({"metadata.a.b.c":3})", true},
      {R"({"a":{"x":1},"a.b":{"c":3}})", R"({"metadata.a.b.c":3})", true},
      {R"({"a.b":{"c":3}})", R"({"metadata.a.b.c":3})", true},
      {R"({"a":1,"a.b":{"c":3}})", R"({"metadata.a.b.c":3})", true},
      {R"({"n":{"x":1,"y":2}})", R"({"metadata.n":{"eq":{"y":2.0,"x":1}}})", true},
      {R"({"n":{"x":1,"y":2}})", R"({"metadata.n":{"eq":{"x":1}}})", false},
      {R"({"n":{"x":1}})", R"({"metadata.n":{"eq":{"x":1,"y":2}}})", false},
      {R"({"n":{"x":null}})", R"({"metadata.n":{"eq":{"y":null}}})", false},
      {R"({"n":[1]})", R"({"metadata.n":[1,2]})", false},
      {R"({"a":[{"b":2}]})", R"({"metadata.a.b":2})", false},
      {R"({"a":[2]})", R"({"metadata.a.0":2})", false},
  };
  for (const auto& [metadata, expression, expected] : cases) {
    EXPECT_EQ(matches(filter_of(parse(expression)), {.metadata = metadata}), expected)
        << expression << " on " << metadata;
  }
}

TEST(Filter, FindsEveryNumberThatWasStored) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 5'000; ++i) {
    const auto number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    const json::object metadata{{"n", number}};
    EXPECT_TRUE(
        matches(comparison("metadata.n", "eq", number), {.metadata = json::serialize(metadata)}))
        << json::serialize(metadata);
  }
}

TEST(Filter, LooksIntoMetadataAsDeepAsABodyMayBe) {
  std::string metadata = "1";
  std::string path;
  for (int level = 0; level < 128; ++level) {
    metadata = R"({"a":)" + metadata + "}";
    path += level == 0 ? "a" : ".a";
  }
  EXPECT_TRUE(matches(comparison("metadata." + path, "eq", 1), {.metadata = metadata}));
}

TEST(Filter, DoesNotReadMetadataThatItHasNoUseFor) {
  const Memory memory{.category = Category::fact, .metadata = "no JSON"};
  EXPECT_TRUE(matches(comparison("category", "eq", "fact"), memory));
  EXPECT_FALSE(
      matches(filter_of(parse(R"({"AND":[{"category":"semantic"},{"metadata.n":1}]})")), memory));
  EXPECT_ANY_THROW(matches(comparison("metadata.n", "eq", 1), memory));
}

}  // namespace
}  // namespace maas::ltm
