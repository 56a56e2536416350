#include "api/json_parts.hpp"

#include "core/json_text.hpp"

#include <array>
#include <charconv>

namespace maas::api {

void append_integer(std::string& out, std::int64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_number(std::string& out, double number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_seconds(std::string& out, Timestamp time) {
  const std::int64_t micros = time.time_since_epoch().count();
  append_integer(out, micros / 1'000'000);
  std::array<char, 8> fraction;
  std::to_chars(fraction.data(), fraction.data() + fraction.size(), 1'000'000 + micros % 1'000'000);
  fraction[0] = '.';
  out.append(fraction.data(), 7);
}

void append_text_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    append_json(out, text);
  }
}

}  // namespace maas::api
