#include "api/fields.hpp"

#include "api/json_body.hpp"
#include "http/url.hpp"
#include "text/utf8.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/json/serialize.hpp>

namespace maas::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxIdBytes = 256;

// The bytes can't stand in a JSON reply; their percent-encoded form can.
FieldError not_unicode(const json::array& location, std::string_view bytes) {
  return {"string_unicode", location,
          "Input should be a valid string, unable to parse raw data as a unicode string",
          json::string(http::printable(bytes))};
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

FieldError wrong_choice(const json::array& location, const json::value& value,
                        const std::vector<std::string_view>& choices) {
  std::string expected;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) expected += i + 1 == choices.size() ? " or " : ", ";
    expected += "'" + std::string(choices[i]) + "'";
  }
  return {"enum", location, "Input should be " + expected, value,
          json::object{{"expected", expected}}};
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

const json::value* Fields::value(std::string_view name) const {
  const json::value* found = find(name);
  return found && !found->is_null() ? found : nullptr;
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

std::optional<std::string> Fields::optional_string(std::string_view name) {
  const json::value* found = value(name);
  if (!found) return std::nullopt;
  if (const json::string* text = found->if_string()) return std::string(*text);
  errors_.add({"string_type", at(name), "Input should be a valid string", *found});
  return std::nullopt;
}

std::optional<bool> Fields::boolean(std::string_view name) {
  const json::value* found = value(name);
  return found ? to_boolean(*found, at(name), errors_) : std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view name, IntegerRange range) {
  const json::value* found = value(name);
  if (!found) return std::nullopt;
  return within(to_integer(*found, at(name), errors_), range, at(name), *found, errors_);
}

std::optional<double> Fields::number(std::string_view name, const NumberRange& range) {
  const json::value* found = value(name);
  if (!found) return std::nullopt;
  return within(to_number(*found, at(name), errors_), range, at(name), *found, errors_);
}

std::string Fields::id(std::string_view name) {
  std::string id = optional_string(name).value_or("");
  check_id(id, at(name), errors_);
  return id;
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
  return above_zero(to_integer(*value, at(name), errors_), at(name), *value, errors_);
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

void check_id(std::string_view id, const json::array& location, FieldErrors& errors) {
  if (id.size() > kMaxIdBytes) {
    errors.add({"string_too_long", location, "String should have at most 256 bytes",
                json::string(id), json::object{{"max_length", kMaxIdBytes}}});
  } else if (text::has_control_characters(id)) {
    errors.add_value_error(location, "control characters are not allowed", json::string(id));
  }
}

std::string id_parameter(const http::Request& request, std::string_view name, FieldErrors& errors) {
  const std::string& id = request.path_parameter(name);
  const json::array location{"path", name};
  if (text::is_valid_utf8(id)) {
    check_id(id, location, errors);
  } else {
    errors.add(not_unicode(location, request.path));
  }
  return id;
}

std::string text_parameter(const http::Request& request, std::string_view name,
                           FieldErrors& errors) {
  const std::string_view text = request.query_parameter(name).value_or("");
  if (text::is_valid_utf8(text)) return std::string(text);
  errors.add(not_unicode({"query", name}, text));
  return {};
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
  return above_zero(value, {"query", name}, json::string(*request.query_parameter(name)), errors);
}

}  // namespace maas::api
