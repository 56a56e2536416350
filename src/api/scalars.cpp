#include "api/scalars.hpp"

#include "core/iso8601.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace maas::api {
namespace {

namespace json = boost::json;

FieldError too_large(json::array location, json::value input) {
  return {"int_parsing_size", std::move(location),
          "Unable to parse input string as an integer, exceeded maximum size", std::move(input)};
}

// Digits without the spaces around them and a plus in front.
std::string_view trimmed(std::string_view digits) {
  while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  return digits;
}

template <class T>
std::string to_text(T number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

struct Bound {
  const char* type;
  const char* words;
  const char* key;
};
constexpr Bound kAbove{"greater_than", "greater than", "gt"};
constexpr Bound kLeast{"greater_than_equal", "greater than or equal to", "ge"};
constexpr Bound kMost{"less_than_equal", "less than or equal to", "le"};

template <class T>
FieldError out_of(const Bound& bound, T limit, const json::array& location,
                  const json::value& input) {
  return {bound.type, location,
          std::string("Input should be ") + bound.words + " " + to_text(limit), input,
          json::object{{bound.key, limit}}};
}

}  // namespace

std::optional<bool> to_boolean(const json::value& value, const json::array& location,
                               FieldErrors& errors) {
  constexpr std::array<std::string_view, 6> kYes{"true", "1", "yes", "on", "t", "y"};
  constexpr std::array<std::string_view, 6> kNo{"false", "0", "no", "off", "f", "n"};
  if (value.is_bool()) return value.get_bool();
  if (value.is_string()) {
    const auto is = [&](std::string_view word) {
      return boost::beast::iequals(word, std::string_view(value.get_string()));
    };
    if (std::ranges::any_of(kYes, is)) return true;
    if (std::ranges::any_of(kNo, is)) return false;
  } else if (value.is_number()) {
    const auto number = value.to_number<double>();
    if (number == 0 || number == 1) return number == 1;
  } else {
    errors.add({"bool_type", location, "Input should be a valid boolean", value});
    return std::nullopt;
  }
  errors.add({"bool_parsing", location,
              "Input should be a valid boolean, unable to interpret input", value});
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text, const json::array& location,
                                          FieldErrors& errors) {
  const std::string_view digits = trimmed(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end == digits.data() + digits.size() && !digits.empty()) {
    if (error == std::errc{}) return value;
    if (error == std::errc::result_out_of_range) {
      errors.add(too_large(location, json::string(text)));
      return std::nullopt;
    }
  }
  errors.add({"int_parsing", location,
              "Input should be a valid integer, unable to parse string as an integer",
              json::string(text)});
  return std::nullopt;
}

std::optional<std::int64_t> to_integer(const json::value& value, const json::array& location,
                                       FieldErrors& errors) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) {
    errors.add(too_large(location, value));
  } else if (value.is_double()) {
    const double number = value.get_double();
    if (std::trunc(number) != number) {
      errors.add({"int_from_float", location,
                  "Input should be a valid integer, got a number with a fractional part", value});
    } else if (std::abs(number) < 9.2e18) {
      return static_cast<std::int64_t>(number);
    } else {
      errors.add(too_large(location, value));
    }
  } else if (value.is_string()) {
    return parse_integer(value.get_string(), location, errors);
  } else {
    errors.add({"int_type", location, "Input should be a valid integer", value});
  }
  return std::nullopt;
}

std::optional<double> to_number(const json::value& value, const json::array& location,
                                FieldErrors& errors) {
  if (value.is_number()) return value.to_number<double>();
  if (!value.is_string()) {
    errors.add({"float_type", location, "Input should be a valid number", value});
    return std::nullopt;
  }
  const std::string_view digits = trimmed(value.get_string());
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc{} && end == digits.data() + digits.size() && std::isfinite(number)) {
    return number;
  }
  errors.add({"float_parsing", location,
              "Input should be a valid number, unable to parse string as a number", value});
  return std::nullopt;
}

std::optional<std::int64_t> above_zero(std::optional<std::int64_t> value,
                                       const json::array& location, const json::value& input,
                                       FieldErrors& errors) {
  if (!value || *value > 0) return value;
  errors.add(out_of(kAbove, 0, location, input));
  return std::nullopt;
}

std::optional<std::int64_t> within(std::optional<std::int64_t> value, IntegerRange range,
                                   const json::array& location, const json::value& input,
                                   FieldErrors& errors) {
  if (!value || (*value >= range.least && *value <= range.most)) return value;
  errors.add(*value < range.least ? out_of(kLeast, range.least, location, input)
                                  : out_of(kMost, range.most, location, input));
  return std::nullopt;
}

std::optional<double> within(std::optional<double> value, const NumberRange& range,
                             const json::array& location, const json::value& input,
                             FieldErrors& errors) {
  if (!value) return value;
  if (range.above && !(*value > *range.above)) {
    errors.add(out_of(kAbove, *range.above, location, input));
  } else if (range.least && !(*value >= *range.least)) {
    errors.add(out_of(kLeast, *range.least, location, input));
  } else if (range.most && !(*value <= *range.most)) {
    errors.add(out_of(kMost, *range.most, location, input));
  } else {
    return value;
  }
  return std::nullopt;
}

std::optional<Timestamp> to_time(const json::value& value) {
  constexpr double kFirst = -62'135'596'800;  // seconds; the year 1
  constexpr double kEnd = 253'402'300'800;    // the year 10000
  if (value.is_string()) return parse_time(value.get_string());
  if (!value.is_number()) return std::nullopt;
  const auto seconds = value.to_number<double>();
  if (seconds < kFirst || seconds >= kEnd) return std::nullopt;
  return Timestamp(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

}  // namespace maas::api
