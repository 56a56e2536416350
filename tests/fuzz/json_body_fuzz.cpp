// What clients send as a body: whatever is accepted means the same when it is written and read
// back.
#include "api/json_body.hpp"
#include "core/json_text.hpp"
#include "fuzz/check.hpp"
#include "text/utf8.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace maas::fuzz {
namespace {

namespace json = boost::json;

std::optional<json::value> parsed(std::string_view text) {
  try {
    return api::parse_json(text);
  } catch (const api::JsonSyntaxError& error) {
    check(error.offset() <= text.size(), "the offset of a syntax error lies inside the text");
    return std::nullopt;
  }
}

// The library's own strict parser takes all that ours takes.
bool library_takes(std::string_view text) {
  json::parse_options options;
  options.max_depth = 128;
  boost::system::error_code error;
  json::parse(text, error, {}, options);
  return !error;
}

bool is_finite(const json::value& value) {
  if (value.is_double()) return std::isfinite(value.get_double());
  if (value.is_array()) return std::ranges::all_of(value.get_array(), is_finite);
  if (!value.is_object()) return true;
  return std::ranges::all_of(value.get_object(),
                             [](const auto& member) { return is_finite(member.value()); });
}

void check_value(std::string_view text) {
  const auto value = parsed(text);
  if (!value) return;
  check(text::is_valid_utf8(text), "accepted JSON is valid UTF-8");
  check(library_takes(text), "accepted JSON is JSON");
  check(is_finite(*value), "numbers are finite");
  std::string written;
  append_json(written, *value);
  const auto again = parsed(written);
  check(again.has_value(), "written JSON is accepted");
  check(*again == *value, "written JSON keeps its value");
}

void check_string(std::string_view text) {
  if (!text::is_valid_utf8(text)) return;
  std::string written;
  append_json(written, text);
  const auto value = parsed(written);
  check(value && value->is_string(), "a written string is JSON");
  check(std::string_view(value->get_string()) == text, "a written string keeps its bytes");
}

}  // namespace
}  // namespace maas::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text = maas::fuzz::text_of(data, size);
  maas::fuzz::check_value(text);
  maas::fuzz::check_string(text);
  return 0;
}
