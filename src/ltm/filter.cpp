#include "ltm/filter.hpp"

#include "text/folding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <limits>
#include <optional>
#include <string_view>

namespace maas::ltm {
namespace {

namespace json = boost::json;
using Field = Filter::Field;
using Operator = Filter::Operator;

bool is_number(const json::value& value) {
  return value.is_int64() || value.is_uint64() || value.is_double();
}

// Holds every 64-bit integer and every double exactly.
static_assert(std::numeric_limits<long double>::digits >= 64);
long double number(const json::value& value) {
  if (value.is_int64()) return static_cast<long double>(value.get_int64());
  if (value.is_uint64()) return static_cast<long double>(value.get_uint64());
  return value.get_double();
}

std::partial_ordering order(const json::value& a, const json::value& b) {
  if (is_number(a) && is_number(b)) return number(a) <=> number(b);
  if (a.is_string() && b.is_string()) {
    return std::string_view(a.get_string()) <=> std::string_view(b.get_string());
  }
  return std::partial_ordering::unordered;
}

bool equal(const json::value& a, const json::value& b) {
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), equal);
  if (a.is_object() && b.is_object()) {
    const json::object& other = b.get_object();
    return a.get_object().size() == other.size() &&
           std::ranges::all_of(a.get_object(), [&other](const json::key_value_pair& member) {
             const json::value* twin = other.if_contains(member.key());
             return twin && equal(member.value(), *twin);
           });
  }
  if (a.is_bool() && b.is_bool()) return a.get_bool() == b.get_bool();
  if (a.is_null() && b.is_null()) return true;
  return order(a, b) == 0;
}

bool equal_folded(const json::value& value, const json::value& folded) {
  if (!value.is_string() || !folded.is_string()) return equal(value, folded);
  return text::folded(value.get_string()) == std::string_view(folded.get_string());
}

bool holds(const json::value& value, const json::value& part, bool fold) {
  if (value.is_array()) {
    return std::ranges::any_of(value.get_array(), [&](const json::value& element) {
      return fold ? equal_folded(element, part) : equal(element, part);
    });
  }
  if (!value.is_string() || !part.is_string()) return false;
  const std::string_view wanted = part.get_string();
  if (fold) return text::folded(value.get_string()).find(wanted) != std::string::npos;
  return std::string_view(value.get_string()).find(wanted) != std::string_view::npos;
}

// By the library's defaults a number would not be the one that was stored, and what lies deeper
// than 32 levels an error; no request nests deeper than this.
json::parse_options as_stored() {
  json::parse_options options;
  options.max_depth = 128;
  options.numbers = json::number_precision::precise;
  return options;
}

// The value of a key as it is written, else its dots lead into objects; null: not there.
const json::value* member(const json::object& object, std::string_view key) {
  if (const json::value* whole = object.if_contains(key)) return whole;
  for (std::size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1)) {
    const json::value* outer = object.if_contains(key.substr(0, dot));
    if (!outer || !outer->is_object()) continue;
    if (const json::value* inner = member(outer->get_object(), key.substr(dot + 1))) return inner;
  }
  return nullptr;
}

bool compare(const json::value* actual, Operator op, const json::value& operand) {
  static const json::value absent;
  const json::value& value = actual ? *actual : absent;
  const auto is_operand = [&value](const json::value& each) { return equal(value, each); };
  switch (op) {
    case Operator::eq:
      return equal(value, operand);
    case Operator::ne:
      return !equal(value, operand);
    case Operator::in:
      return std::ranges::any_of(operand.get_array(), is_operand);
    case Operator::nin:
      return std::ranges::none_of(operand.get_array(), is_operand);
    case Operator::gt:
      return order(value, operand) > 0;
    case Operator::gte:
      return order(value, operand) >= 0;
    case Operator::lt:
      return order(value, operand) < 0;
    case Operator::lte:
      return order(value, operand) <= 0;
    case Operator::contains:
      return holds(value, operand, false);
    case Operator::icontains:
      return holds(value, operand, true);
  }
  return false;
}

// One memory under evaluation.
class Subject {
 public:
  explicit Subject(const Memory& memory) : memory_(memory) {}

  bool meets(const Filter& filter) {
    const auto part = [this](const Filter& each) { return meets(each); };
    switch (filter.kind) {
      case Filter::Kind::all_of:
        return std::ranges::all_of(filter.parts, part);
      case Filter::Kind::any_of:
        return std::ranges::any_of(filter.parts, part);
      case Filter::Kind::none_of:
        return std::ranges::none_of(filter.parts, part);
      case Filter::Kind::compare:
        return meets_comparison(filter);
    }
    return false;
  }

 private:
  bool meets_comparison(const Filter& filter) {
    if (filter.field == Field::metadata) {
      return compare(member(metadata(), filter.key), filter.op, filter.operand);
    }
    const json::value value = field(filter.field);
    return compare(&value, filter.op, filter.operand);
  }

  json::value field(Field field) const {
    switch (field) {
      case Field::category:
        return json::string(to_string(memory_.category));
      case Field::created_at:
        return memory_.created_at.time_since_epoch().count();
      case Field::updated_at:
        return memory_.updated_at.time_since_epoch().count();
      case Field::memory:
        return json::string(memory_.text);
      case Field::metadata:
        break;
    }
    return nullptr;
  }

  const json::object& metadata() {
    if (!metadata_) {
      metadata_ = memory_.metadata.empty()
                      ? json::value(json::object())
                      : json::parse(memory_.metadata, &memory_resource_, as_stored());
    }
    return metadata_->get_object();
  }

  const Memory& memory_;
  std::array<unsigned char, 4096> buffer_;
  json::monotonic_resource memory_resource_{buffer_.data(), buffer_.size()};
  std::optional<json::value> metadata_;
};

}  // namespace

bool matches(const Filter& filter, const Memory& memory) { return Subject(memory).meets(filter); }

}  // namespace maas::ltm
