#pragma once

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
#include <vector>

namespace maas::api {

// One thing that is wrong with a request, worded as Pydantic v2 words it.
struct FieldError {
  std::string type;
  boost::json::array location;  // such as ["body", "messages", 0, "role"]
  std::string message;
  boost::json::value input;
  std::optional<boost::json::object> context = {};
};

// Everything that is wrong with a request. Answered with 422.
class ValidationError : public std::exception {
 public:
  explicit ValidationError(std::vector<FieldError> errors) : errors_(std::move(errors)) {}
  const std::vector<FieldError>& errors() const { return errors_; }
  const char* what() const noexcept override { return "the request is not valid"; }

 private:
  std::vector<FieldError> errors_;
};

// Collects what is wrong while all fields are read, so that one reply names every bad field.
class FieldErrors {
 public:
  void add(FieldError error) { errors_.push_back(std::move(error)); }
  // Throws ValidationError if there was any.
  void check() const;

 private:
  std::vector<FieldError> errors_;
};

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

  // Fields that may be absent, or null where it says so.
  // The text of an object; empty when absent or null.
  std::string object_text(std::string_view name);
  // Outer nullopt: absent; inner: null.
  std::optional<std::optional<std::int64_t>> positive_integer_or_null(std::string_view name);
  template <class Enum>
  std::optional<std::optional<Enum>> choice_or_null(std::string_view name,
                                                    std::optional<Enum> (*from)(std::string_view),
                                                    std::initializer_list<Enum> values);
  // Calls `read(Fields&)` for each element; nothing when absent.
  template <class Read>
  auto list(std::string_view name, Read read);

 private:
  const boost::json::value* find(std::string_view name) const;
  const boost::json::value* require(std::string_view name);
  boost::json::array at(std::string_view name) const;
  std::optional<std::string_view> text(std::string_view name, const boost::json::value& value);
  void wrong_choice(std::string_view name, const boost::json::value& value,
                    const std::vector<std::string_view>& choices);

  template <class Enum>
  std::optional<Enum> choice_of(std::string_view name, const boost::json::value& value,
                                std::optional<Enum> (*from)(std::string_view),
                                std::initializer_list<Enum> values);

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

// An id in the path: at most 256 bytes of valid UTF-8 without control characters.
std::string id_parameter(const http::Request& request, std::string_view name, FieldErrors& errors);

// Integers in the query; nullopt when absent.
std::optional<std::int64_t> integer_parameter(const http::Request& request, std::string_view name,
                                              FieldErrors& errors);
std::optional<std::int64_t> positive_integer_parameter(const http::Request& request,
                                                       std::string_view name, FieldErrors& errors);

template <class Enum>
std::optional<Enum> Fields::choice_of(std::string_view name, const boost::json::value& value,
                                      std::optional<Enum> (*from)(std::string_view),
                                      std::initializer_list<Enum> values) {
  if (value.is_string()) {
    if (const auto found = from(value.get_string())) return found;
  }
  std::vector<std::string_view> choices;
  for (const Enum known : values) choices.push_back(to_string(known));
  wrong_choice(name, value, choices);
  return std::nullopt;
}

template <class Enum>
std::optional<Enum> Fields::choice(std::string_view name,
                                   std::optional<Enum> (*from)(std::string_view),
                                   std::initializer_list<Enum> values) {
  const auto* value = require(name);
  return value ? choice_of(name, *value, from, values) : std::nullopt;
}

template <class Enum>
std::optional<std::optional<Enum>> Fields::choice_or_null(
    std::string_view name, std::optional<Enum> (*from)(std::string_view),
    std::initializer_list<Enum> values) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  if (value->is_null()) return std::optional<Enum>{};
  return choice_of(name, *value, from, values);
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
