#include "api/field_errors.hpp"

namespace maas::api {

void FieldErrors::add_value_error(boost::json::array location, const std::string& message,
                                  boost::json::value input) {
  add({"value_error", std::move(location), "Value error, " + message, std::move(input)});
}

void FieldErrors::check() const {
  if (!errors_.empty()) throw ValidationError(errors_);
}

std::string in_words(const FieldErrors& errors) {
  std::string words;
  for (const FieldError& error : errors.all()) {
    if (!words.empty()) words += "; ";
    for (std::size_t i = 1; i < error.location.size(); ++i) {
      const boost::json::value& step = error.location[i];
      if (i > 1) words += '.';
      words += step.is_string() ? std::string(step.get_string())
                                : std::to_string(step.to_number<std::int64_t>());
    }
    if (error.location.size() > 1) words += ": ";
    words += error.message;
  }
  return words;
}

}  // namespace maas::api
