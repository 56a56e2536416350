#pragma once

#include "api/field_errors.hpp"
#include "api/scalars.hpp"
#include "http/types.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::api {

FieldError wrong_choice(const boost::json::array& location, const boost::json::value& value,
                        const std::vector<std::string_view>& choices);

// One of a few words, each the to_string() of a value; nullopt: an error was added.
template <class Enum>
std::optional<Enum> choice_of(const boost::json::array& location, const boost::json::value& value,
                              std::optional<Enum> (*from)(std::string_view),
                              std::initializer_list<Enum> values, FieldErrors& errors) {
  if (value.is_string()) {
    if (const auto found = from(value.get_string())) return found;
  }
  std::vector<std::string_view> choices;
  for (const Enum known : values) choices.push_back(to_string(known));
  errors.add(wrong_choice(location, value, choices));
  return std::nullopt;
}

// Reads the fields of one JSON object. What is missing or of a wrong type is added to the errors
// and read as an empty value; FieldErrors::check() must come before the values are used. Unknown
// fields are ignored. Borrows the value and the errors.
class Fields {
 public:
  Fields(const boost::json::value& value, boost::json::array location, FieldErrors& errors);

  // A field that must be there.
  std::string string(std::string_view name);
  template <class Enum>
  std::optional<Enum> choice(std::string_view name, std::optional<Enum> (*from)(std::string_view),
                             std::initializer_list<Enum> values);

  // Its value, of any type; null: it is missing, and an error was added.
  const boost::json::value* require(std::string_view name);

  // Fields that may be absent or null.
  std::optional<std::string> optional_string(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, IntegerRange range);
  std::optional<double> number(std::string_view name, const NumberRange& range);
  template <class Enum>
  std::optional<Enum> optional_choice(std::string_view name,
                                      std::optional<Enum> (*from)(std::string_view),
                                      std::initializer_list<Enum> values);
  // The text of an object; empty when absent or null.
  std::string object_text(std::string_view name);
  // An id as check_id() wants it; empty when absent or null.
  std::string id(std::string_view name);
  // The value; null when absent or null.
  const boost::json::value* value(std::string_view name) const;

  // Fields that may be absent, or null where it says so.
  // Outer nullopt: absent; inner: null.
  std::optional<std::optional<std::int64_t>> positive_integer_or_null(std::string_view name);
  template <class Enum>
  std::optional<std::optional<Enum>> choice_or_null(std::string_view name,
                                                    std::optional<Enum> (*from)(std::string_view),
                                                    std::initializer_list<Enum> values);
  // Calls `read(Fields&)` for each element; nothing when absent.
  template <class Read>
  auto list(std::string_view name, Read read);

  // Where a field is.
  boost::json::array at(std::string_view name) const;
  // Where the object is, and what stands there.
  const boost::json::array& location() const { return location_; }
  const boost::json::value& whole() const { return value_; }
  bool is_object() const { return object_ != nullptr; }
  FieldErrors& errors() { return errors_; }

 private:
  const boost::json::value* find(std::string_view name) const;

  const boost::json::value& value_;
  const boost::json::object* object_ = nullptr;  // null: an error was added
  boost::json::array location_;
  FieldErrors& errors_;
};

// The body of a request as a JSON value. Throws ValidationError when it is missing, null or no
// JSON, UnsupportedMediaType when it says that it is something else.
boost::json::value parse_body(const http::Request& request);

// A body in a form that is not taken. Answered with 415.
class UnsupportedMediaType : public std::exception {
 public:
  const char* what() const noexcept override {
    return "The body must be JSON: Content-Type application/json, and no Content-Encoding";
  }
};

// Adds an error unless `id`, valid UTF-8, has at most 256 bytes and no control characters.
void check_id(std::string_view id, const boost::json::array& location, FieldErrors& errors);

// An id in the path: as check_id() wants it, of valid UTF-8.
std::string id_parameter(const http::Request& request, std::string_view name, FieldErrors& errors);

// Texts in the query, valid UTF-8; empty when absent.
std::string text_parameter(const http::Request& request, std::string_view name,
                           FieldErrors& errors);

// Integers in the query; nullopt when absent.
std::optional<std::int64_t> integer_parameter(const http::Request& request, std::string_view name,
                                              FieldErrors& errors);
std::optional<std::int64_t> positive_integer_parameter(const http::Request& request,
                                                       std::string_view name, FieldErrors& errors);

template <class Enum>
std::optional<Enum> Fields::choice(std::string_view name,
                                   std::optional<Enum> (*from)(std::string_view),
                                   std::initializer_list<Enum> values) {
  const auto* value = require(name);
  return value ? choice_of(at(name), *value, from, values, errors_) : std::nullopt;
}

template <class Enum>
std::optional<Enum> Fields::optional_choice(std::string_view name,
                                            std::optional<Enum> (*from)(std::string_view),
                                            std::initializer_list<Enum> values) {
  const auto* found = value(name);
  return found ? choice_of(at(name), *found, from, values, errors_) : std::nullopt;
}

template <class Enum>
std::optional<std::optional<Enum>> Fields::choice_or_null(
    std::string_view name, std::optional<Enum> (*from)(std::string_view),
    std::initializer_list<Enum> values) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  if (value->is_null()) return std::optional<Enum>{};
  return choice_of(at(name), *value, from, values, errors_);
}

template <class Read>
auto Fields::list(std::string_view name, Read read) {
  std::vector<std::invoke_result_t<Read&, Fields&>> items;
  const auto* value = find(name);
  if (!value) return items;
  if (!value->is_array()) {
    errors_.add({"list_type", at(name), "Input should be a valid list", *value});
    return items;
  }
  items.reserve(value->get_array().size());
  for (std::size_t i = 0; i < value->get_array().size(); ++i) {
    boost::json::array location = at(name);
    location.push_back(i);
    Fields fields(value->get_array()[i], std::move(location), errors_);
    items.push_back(read(fields));
  }
  return items;
}

}  // namespace maas::api
