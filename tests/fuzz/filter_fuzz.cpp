// Filters that clients send: refused at places that exist, or decided on every memory as logic has
// it; and the times in them.
#include "api/filter_fields.hpp"
#include "api/json_body.hpp"
#include "core/iso8601.hpp"
#include "fuzz/check.hpp"

#include <optional>
#include <vector>

namespace maas::fuzz {
namespace {

namespace json = boost::json;
using ltm::Filter;
using Kind = Filter::Kind;
using Operator = Filter::Operator;

constexpr std::size_t kMaxConditions = 100;

const std::vector<Memory>& memories() {
  using std::chrono::days;
  static const std::vector<Memory> all{
      {},
      {.category = Category::fact, .text = "Red wine", .metadata = R"({"n":1,"tags":["a","B"]})"},
      {.category = Category::episodic,
       .text = "Grüße",
       .metadata = R"({"a":{"b":{"c":2.5}},"a.b":{"d":null},"n":18446744073709551615})",
       .created_at = Timestamp(days(1)),
       .updated_at = Timestamp(days(20'000))},
      {.category = Category::preference,
       .text = std::string("\0 東京", 8),
       .metadata = R"({"":"e","n":"2024-05-08","x":[{"y":[1,[]]},true],"a":{"":-0.0}})"}};
  return all;
}

// The same condition with every NOT moved to the comparisons.
Filter negated(const Filter& filter) {
  if (filter.kind == Kind::compare) {
    Filter opposite = filter;
    if (filter.op == Operator::eq) {
      opposite.op = Operator::ne;
    } else if (filter.op == Operator::in) {
      opposite.op = Operator::nin;
    } else {
      opposite = {.kind = Kind::none_of, .parts = {filter}};
    }
    return opposite;
  }
  if (filter.kind == Kind::none_of) return {.kind = Kind::any_of, .parts = filter.parts};
  Filter opposite{.kind = filter.kind == Kind::all_of ? Kind::any_of : Kind::all_of};
  for (const Filter& part : filter.parts) opposite.parts.push_back(negated(part));
  return opposite;
}

std::optional<Filter> read(const json::value& value, std::size_t max_conditions,
                           api::FieldErrors& errors) {
  return api::read_filter(value, {"body", "filters"}, max_conditions, errors);
}

// The same value inside AND, OR and NOT.
Filter wrapped(const char* group, const json::array& parts) {
  api::FieldErrors errors;
  const auto filter = read(json::object{{group, parts}}, 2 * kMaxConditions, errors);
  check(filter.has_value(), "a group of filters is a filter");
  return *filter;
}

void check_logic(const json::value& value, const Filter& filter) {
  const Filter opposite = negated(filter);
  const Filter none = wrapped("NOT", {value});
  const Filter both = wrapped("AND", {value, value});
  const Filter either = wrapped("OR", {value, value});
  const Filter contradiction = wrapped("AND", {value, json::object{{"NOT", value}}});
  const Filter tautology = wrapped("OR", {value, json::object{{"NOT", value}}});
  for (const Memory& memory : memories()) {
    const bool meets = matches(filter, memory);
    check(matches(opposite, memory) != meets, "De Morgan");
    check(matches(none, memory) != meets, "NOT inverts");
    check(matches(both, memory) == meets, "AND with itself");
    check(matches(either, memory) == meets, "OR with itself");
    check(!matches(contradiction, memory), "a filter AND its opposite");
    check(matches(tautology, memory), "a filter OR its opposite");
  }
}

// Whether `location` leads to a part of `value`, which is what ["body", "filters"] means.
bool leads(const json::array& location, const json::value& value) {
  if (location.size() < 2 || location[0] != "body" || location[1] != "filters") return false;
  const json::value* place = &value;
  for (std::size_t i = 2; i < location.size(); ++i) {
    if (const json::string* key = location[i].if_string()) {
      place = place->is_object() ? place->get_object().if_contains(*key) : nullptr;
    } else {
      const auto index = location[i].to_number<std::size_t>();
      place = place->is_array() ? place->get_array().if_contains(index) : nullptr;
    }
    if (!place) return false;
  }
  return true;
}

void check_filter(std::string_view text) {
  json::value value;
  try {
    value = api::parse_json(text);
  } catch (const api::JsonSyntaxError&) {
    return;
  }
  api::FieldErrors errors;
  const auto filter = read(value, kMaxConditions, errors);
  check(filter.has_value() == errors.all().empty(), "a filter, or what is wrong with it");
  for (const api::FieldError& error : errors.all()) {
    check(leads(error.location, value), "an error is somewhere in the filter");
    check(!error.type.empty() && !error.message.empty(), "an error says what it is");
  }
  if (filter) check_logic(value, *filter);
}

void check_time(std::string_view text) {
  const auto time = parse_time(text);
  if (time) check(parse_time(format_time(*time)) == time, "a written time is the same time");
}

}  // namespace
}  // namespace maas::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text = maas::fuzz::text_of(data, size);
  maas::fuzz::check_filter(text);
  maas::fuzz::check_time(text);
  return 0;
}
