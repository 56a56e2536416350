#include "api/fields.hpp"

#include "api/json_body.hpp"
#include "http/url.hpp"
#include "text/utf8.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <cmath>
#include <limits>

namespace maas::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxIdBytes = 256;

FieldError too_large(json::array location, json::value input) {
  return {"int_parsing_size", std::move(location),
          "Unable to parse input string as an integer, exceeded maximum size", std::move(input)};
}

// An integer written as text, or an error worth adding.
std::optional<std::int64_t> parse_integer(std::string_view text, const json::array& location,
                                          FieldErrors& errors) {
  std::string_view digits = text;
  while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
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

std::optional<std::int64_t> positive(std::optional<std::int64_t> value, const json::array& location,
                                     const json::value& input, FieldErrors& errors) {
  if (!value || *value > 0) return value;
  errors.add(
      {"greater_than", location, "Input should be greater than 0", input, json::object{{"gt", 0}}});
  return std::nullopt;
}

FieldError missing_body() { return {"missing", {"body"}, "Field required", nullptr}; }

bool is_json_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  if (boost::beast::iequals(type, "application/json")) return true;
  constexpr std::string_view kPrefix = "application/";
  constexpr std::string_view kSuffix = "+json";
  return type.size() > kPrefix.size() + kSuffix.size() &&
         boost::beast::iequals(type.substr(0, kPrefix.size()), kPrefix) &&
         boost::beast::iequals(type.substr(type.size() - kSuffix.size()), kSuffix);
}

}  // namespace

void FieldErrors::check() const {
  if (!errors_.empty()) throw ValidationError(errors_);
}

Fields::Fields(const json::value& value, json::array location, FieldErrors& errors)
    : value_(value), object_(value.if_object()), location_(std::move(location)), errors_(errors) {
  if (object_) return;
  errors_.add({"model_attributes_type", location_,
               "Input should be a valid dictionary or object to extract fields from", value});
}

json::array Fields::at(std::string_view name) const {
  json::array location = location_;
  location.emplace_back(name);
  return location;
}

const json::value* Fields::find(std::string_view name) const {
  return object_ ? object_->if_contains(name) : nullptr;
}

const json::value* Fields::require(std::string_view name) {
  const json::value* value = find(name);
  if (!value && object_) errors_.add({"missing", at(name), "Field required", value_});
  return value;
}

std::string Fields::string(std::string_view name) {
  const json::value* value = require(name);
  if (!value) return {};
  if (const json::string* text = value->if_string()) return std::string(*text);
  errors_.add({"string_type", at(name), "Input should be a valid string", *value});
  return {};
}

std::string Fields::object_text(std::string_view name) {
  const json::value* value = find(name);
  if (!value || value->is_null()) return {};
  if (value->is_object()) return json::serialize(*value);
  errors_.add({"dict_type", at(name), "Input should be a valid dictionary", *value});
  return {};
}

std::optional<std::optional<std::int64_t>> Fields::positive_integer_or_null(std::string_view name) {
  const json::value* value = find(name);
  if (!value) return std::nullopt;
  if (value->is_null()) return std::optional<std::int64_t>{};
  return positive(to_integer(*value, at(name), errors_), at(name), *value, errors_);
}

void Fields::wrong_choice(std::string_view name, const json::value& value,
                          const std::vector<std::string_view>& choices) {
  std::string expected;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) expected += i + 1 == choices.size() ? " or " : ", ";
    expected += "'" + std::string(choices[i]) + "'";
  }
  errors_.add({"enum", at(name), "Input should be " + expected, value,
               json::object{{"expected", expected}}});
}

json::value parse_body(const http::Request& request) {
  if (request.body.empty()) throw ValidationError({missing_body()});
  const std::string_view type = request.header("Content-Type");
  const std::string_view encoding = request.header("Content-Encoding");
  if ((!type.empty() && !is_json_type(type)) ||
      (!encoding.empty() && !boost::beast::iequals(encoding, "identity"))) {
    throw UnsupportedMediaType();
  }
  json::value body;
  try {
    body = parse_json(request.body);
  } catch (const JsonSyntaxError& error) {
    throw ValidationError({{"json_invalid",
                            {"body", error.offset()},
                            "JSON decode error",
                            json::object{},
                            json::object{{"error", error.what()}}}});
  }
  if (body.is_null()) throw ValidationError({missing_body()});
  return body;
}

std::string id_parameter(const http::Request& request, std::string_view name, FieldErrors& errors) {
  const std::string& id = request.path_parameter(name);
  const json::array location{"path", name};
  if (!text::is_valid_utf8(id)) {
    // The bytes can't stand in a JSON reply; their percent-encoded form can.
    errors.add({"string_unicode", location,
                "Input should be a valid string, unable to parse raw data as a unicode string",
                json::string(http::printable(request.path))});
  } else if (id.size() > kMaxIdBytes) {
    errors.add({"string_too_long", location, "String should have at most 256 bytes",
                json::string(id), json::object{{"max_length", kMaxIdBytes}}});
  } else if (text::has_control_characters(id)) {
    errors.add({"value_error", location, "Value error, control characters are not allowed",
                json::string(id)});
  }
  return id;
}

std::optional<std::int64_t> integer_parameter(const http::Request& request, std::string_view name,
                                              FieldErrors& errors) {
  const auto text = request.query_parameter(name);
  if (!text) return std::nullopt;
  const json::array location{"query", name};
  if (!text::is_valid_utf8(*text)) {
    errors.add({"int_parsing", location,
                "Input should be a valid integer, unable to parse string as an integer", nullptr});
    return std::nullopt;
  }
  return parse_integer(*text, location, errors);
}

std::optional<std::int64_t> positive_integer_parameter(const http::Request& request,
                                                       std::string_view name, FieldErrors& errors) {
  const auto value = integer_parameter(request, name, errors);
  if (!value) return std::nullopt;
  return positive(value, {"query", name}, json::string(*request.query_parameter(name)), errors);
}

}  // namespace maas::api
