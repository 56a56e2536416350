#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>
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
  // A rule of ours that a value breaks.
  void add_value_error(boost::json::array location, const std::string& message,
                       boost::json::value input);

  // Throws ValidationError if there was any.
  void check() const;

  const std::vector<FieldError>& all() const { return errors_; }

 private:
  std::vector<FieldError> errors_;
};

// All of them in one line, each with its place inside the part of the request that was read:
// "messages.0.role: Field required; category: Input should be …".
std::string in_words(const FieldErrors& errors);

}  // namespace maas::api
