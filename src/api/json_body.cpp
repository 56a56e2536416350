#include "api/json_body.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <cmath>

namespace maas::api {
namespace {

namespace json = boost::json;
using boost::system::error_code;

constexpr std::size_t kMaxDepth = 128;

// Builds a value as the library's own parser does, but refuses numbers that would lose something.
class Handler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  Handler() { stack_.reset(); }

  json::value release() { return stack_.release(); }
  bool number_too_large() const { return number_too_large_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t count, error_code&) { return stack_.push_object(count), true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t count, error_code&) { return stack_.push_array(count), true; }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    return stack_.push_chars(part), true;
  }
  bool on_key(json::string_view part, std::size_t, error_code&) {
    return stack_.push_key(part), true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    return stack_.push_chars(part), true;
  }
  bool on_string(json::string_view part, std::size_t, error_code&) {
    return stack_.push_string(part), true;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, error_code&) {
    return stack_.push_int64(number), true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
    return stack_.push_uint64(number), true;
  }
  // An integer that is too long for 64 bits comes as a double, too.
  bool on_double(double number, json::string_view text, error_code& error) {
    if (!std::isfinite(number) || text.find_first_of(".eE") == text.npos) {
      number_too_large_ = true;
      error = json::error::not_exact;
      return false;
    }
    return stack_.push_double(number), true;
  }
  bool on_bool(bool value, error_code&) { return stack_.push_bool(value), true; }
  bool on_null(error_code&) { return stack_.push_null(), true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  json::value_stack stack_;
  bool number_too_large_ = false;
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  options.numbers = json::number_precision::precise;
  return options;
}

}  // namespace

json::value parse_json(std::string_view text) {
  json::basic_parser<Handler> parser(options());
  error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (error) {
    throw JsonSyntaxError(
        parser.handler().number_too_large() ? "the number does not fit 64 bits" : error.message(),
        used);
  }
  return parser.handler().release();
}

}  // namespace maas::api
