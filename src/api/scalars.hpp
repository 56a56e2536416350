#pragma once

#include "api/field_errors.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace maas::api {

// What JSON values and texts of the query are as booleans and numbers, by the rules and in the
// words of Pydantic v2: text that holds one is taken. nullopt: an error was added.

struct IntegerRange {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

struct NumberRange {
  std::optional<double> above;
  std::optional<double> least;
  std::optional<double> most;
};

std::optional<bool> to_boolean(const boost::json::value& value, const boost::json::array& location,
                               FieldErrors& errors);

std::optional<std::int64_t> to_integer(const boost::json::value& value,
                                       const boost::json::array& location, FieldErrors& errors);
std::optional<std::int64_t> parse_integer(std::string_view text, const boost::json::array& location,
                                          FieldErrors& errors);

std::optional<double> to_number(const boost::json::value& value, const boost::json::array& location,
                                FieldErrors& errors);

// The same value if it lies within; `input` is what it came from.
std::optional<std::int64_t> above_zero(std::optional<std::int64_t> value,
                                       const boost::json::array& location,
                                       const boost::json::value& input, FieldErrors& errors);
std::optional<std::int64_t> within(std::optional<std::int64_t> value, IntegerRange range,
                                   const boost::json::array& location,
                                   const boost::json::value& input, FieldErrors& errors);
std::optional<double> within(std::optional<double> value, const NumberRange& range,
                             const boost::json::array& location, const boost::json::value& input,
                             FieldErrors& errors);

// The time that a value tells, as ISO 8601 text or as a number of seconds since the epoch; nullopt:
// it tells none of the years 1 to 9999.
std::optional<Timestamp> to_time(const boost::json::value& value);

}  // namespace maas::api
