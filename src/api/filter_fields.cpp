#include "api/filter_fields.hpp"

#include "api/scalars.hpp"
#include "text/folding.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace maas::api {
namespace {

namespace json = boost::json;
using ltm::Filter;
using Field = Filter::Field;
using Kind = Filter::Kind;
using Operator = Filter::Operator;

constexpr std::pair<std::string_view, Operator> kOperators[] = {{"eq", Operator::eq},
                                                                {"ne", Operator::ne},
                                                                {"gt", Operator::gt},
                                                                {"gte", Operator::gte},
                                                                {"lt", Operator::lt},
                                                                {"lte", Operator::lte},
                                                                {"in", Operator::in},
                                                                {"nin", Operator::nin},
                                                                {"contains", Operator::contains},
                                                                {"icontains", Operator::icontains}};
constexpr std::string_view kOperatorNames =
    "eq, ne, gt, gte, lt, lte, in, nin, contains or icontains";
constexpr std::string_view kMetadata = "metadata.";

std::optional<Operator> operator_named(std::string_view name) {
  for (const auto& [known, op] : kOperators) {
    if (known == name) return op;
  }
  return std::nullopt;
}

bool is_list(Operator op) { return op == Operator::in || op == Operator::nin; }
bool is_part(Operator op) { return op == Operator::contains || op == Operator::icontains; }
bool is_order(Operator op) {
  return op == Operator::gt || op == Operator::gte || op == Operator::lt || op == Operator::lte;
}

json::array below(const json::array& location, json::value step) {
  json::array deeper = location;
  deeper.push_back(std::move(step));
  return deeper;
}

// What a comparison is about.
struct Subject {
  Field field;
  std::string key;
};

class FilterReader {
 public:
  FilterReader(std::size_t max_conditions, FieldErrors& errors)
      : max_conditions_(max_conditions), errors_(errors) {}

  bool failed() const { return failed_; }

  // All keys of an object must hold.
  Filter read(const json::value& value, const json::array& location) {
    Filter filter{.kind = Kind::all_of};
    if (!value.is_object()) {
      fail("dict_type", location, "Input should be a valid dictionary", value);
      return filter;
    }
    for (const auto& [key, operand] : value.get_object()) {
      read_key(key, operand, below(location, json::string(key)), filter.parts);
    }
    return filter;
  }

 private:
  void read_key(std::string_view key, const json::value& value, const json::array& location,
                std::vector<Filter>& parts) {
    if (key == "AND" || key == "and") {
      parts.push_back({.kind = Kind::all_of, .parts = read_list(value, location)});
    } else if (key == "OR" || key == "or") {
      parts.push_back({.kind = Kind::any_of, .parts = read_list(value, location)});
    } else if (key == "NOT" || key == "not") {
      // Of a list, none may hold.
      parts.push_back({.kind = Kind::none_of,
                       .parts = value.is_array() ? read_list(value, location)
                                                 : std::vector<Filter>{read(value, location)}});
    } else if (const auto subject = read_subject(key, value, location)) {
      read_comparisons(*subject, value, location, parts);
    }
  }

  std::vector<Filter> read_list(const json::value& value, const json::array& location) {
    std::vector<Filter> filters;
    if (!value.is_array()) {
      fail("list_type", location, "Input should be a valid list", value);
      return filters;
    }
    for (std::size_t i = 0; i < value.get_array().size(); ++i) {
      filters.push_back(read(value.get_array()[i], below(location, i)));
    }
    return filters;
  }

  std::optional<Subject> read_subject(std::string_view key, const json::value& value,
                                      const json::array& location) {
    if (key == "category") return Subject{Field::category, {}};
    if (key == "created_at") return Subject{Field::created_at, {}};
    if (key == "updated_at") return Subject{Field::updated_at, {}};
    if (key == "memory") return Subject{Field::memory, {}};
    if (key.starts_with(kMetadata) && key.size() > kMetadata.size()) {
      return Subject{Field::metadata, std::string(key.substr(kMetadata.size()))};
    }
    if (key == "user_id" || key == "agent_id" || key == "session_id") {
      refuse(location, "the scope is given beside the filters, not in them", value);
    } else {
      refuse(location,
             "unknown field '" + std::string(key) +
                 "'; filter on category, created_at, updated_at, memory or metadata.<key>, or "
                 "combine filters with AND, OR and NOT",
             value);
    }
    return std::nullopt;
  }

  // A plain value is compared for equality; an object holds operators.
  void read_comparisons(const Subject& subject, const json::value& value,
                        const json::array& location, std::vector<Filter>& parts) {
    if (!value.is_object()) {
      add(subject, Operator::eq, value, location, parts);
      return;
    }
    if (value.get_object().empty()) {
      refuse(location, "needs an operator: " + std::string(kOperatorNames), value);
    }
    for (const auto& [name, operand] : value.get_object()) {
      const json::array place = below(location, json::string(name));
      if (const auto op = operator_named(name)) {
        add(subject, *op, operand, place, parts);
      } else {
        refuse(place,
               "unknown operator '" + std::string(name) + "'; use " + std::string(kOperatorNames),
               operand);
      }
    }
  }

  void add(const Subject& subject, Operator op, const json::value& given,
           const json::array& location, std::vector<Filter>& parts) {
    if (++conditions_ == max_conditions_ + 1) {
      refuse(location,
             "a filter may have " + std::to_string(max_conditions_) +
                 " comparisons at most (LTM_MAX_FILTER_CONDITIONS)",
             given);
    }
    Filter filter{.kind = Kind::compare, .field = subject.field, .key = subject.key, .op = op};
    const bool is_equality = op == Operator::eq || op == Operator::ne;
    if (is_equality && given.is_array() && subject.field != Field::metadata) {
      refuse(location, "use in or nin to compare with each value of a list", given);
    } else if (!is_list(op)) {
      filter.operand = read_operand(subject.field, op, given, location);
    } else if (!given.is_array()) {
      fail("list_type", location, "Input should be a valid list", given);
    } else {
      json::array& values = filter.operand.emplace_array();
      for (std::size_t i = 0; i < given.get_array().size(); ++i) {
        values.push_back(read_operand(subject.field, op, given.get_array()[i], below(location, i)));
      }
    }
    parts.push_back(std::move(filter));
  }

  json::value read_operand(Field field, Operator op, const json::value& given,
                           const json::array& location) {
    switch (field) {
      case Field::category:
        return read_category(op, given, location);
      case Field::created_at:
      case Field::updated_at:
        return read_time(op, given, location);
      case Field::memory:
        if (is_order(op)) {
          refuse(location,
                 "a memory's text has no order; use eq, ne, in, nin, contains or icontains", given);
          return nullptr;
        }
        return read_text(op, given, location);
      case Field::metadata:
        break;
    }
    if (op == Operator::icontains && given.is_string()) return read_text(op, given, location);
    if (is_order(op) && !given.is_string() && !given.is_number()) {
      refuse(location, "only numbers and texts have an order", given);
    }
    return given;
  }

  json::value read_category(Operator op, const json::value& given, const json::array& location) {
    if (is_order(op) || is_part(op)) {
      refuse(location, "a category is compared by eq, ne, in or nin", given);
    } else if (!given.is_string() || !category_from(given.get_string())) {
      const std::string expected = "'semantic', 'episodic', 'fact' or 'preference'";
      fail("enum", location, "Input should be " + expected, given,
           json::object{{"expected", expected}});
    }
    return given;
  }

  // Microseconds since the epoch, as an integer.
  json::value read_time(Operator op, const json::value& given, const json::array& location) {
    if (is_part(op)) {
      refuse(location, "a time is compared by eq, ne, gt, gte, lt, lte, in or nin", given);
      return nullptr;
    }
    if (const auto time = to_time(given)) return time->time_since_epoch().count();
    refuse(location, "a time is ISO 8601 text or seconds since the epoch, in the years 1 to 9999",
           given);
    return nullptr;
  }

  json::value read_text(Operator op, const json::value& given, const json::array& location) {
    if (!given.is_string()) {
      fail("string_type", location, "Input should be a valid string", given);
      return given;
    }
    if (op != Operator::icontains) return given;
    return json::string(text::folded(given.get_string()));
  }

  void refuse(const json::array& location, const std::string& message, const json::value& input) {
    failed_ = true;
    errors_.add_value_error(location, message, input);
  }

  void fail(std::string type, const json::array& location, std::string message,
            const json::value& input, std::optional<json::object> context = {}) {
    failed_ = true;
    errors_.add({std::move(type), location, std::move(message), input, std::move(context)});
  }

  std::size_t max_conditions_;
  FieldErrors& errors_;
  std::size_t conditions_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<Filter> read_filter(const json::value& value, json::array location,
                                  std::size_t max_conditions, FieldErrors& errors) {
  FilterReader reader(max_conditions, errors);
  Filter filter = reader.read(value, location);
  if (reader.failed()) return std::nullopt;
  return filter;
}

}  // namespace maas::api
