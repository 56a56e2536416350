#include "text/utf8.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace maas::text {
namespace {

// Calls `visit` with each code point, -1 for ill-formed bytes, until it returns false.
template <class Visit>
bool all_of_code_points(std::string_view text, Visit visit) {
  const auto length = static_cast<std::int64_t>(text.size());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::int64_t i = 0; i < length;) {
    UChar32 code_point = 0;
    U8_NEXT(bytes, i, length, code_point);
    if (!visit(code_point)) return false;
  }
  return true;
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  // Most texts are ASCII, which a compiler tells many bytes at a time.
  unsigned char bits = 0;
  for (const char byte : bytes) bits |= static_cast<unsigned char>(byte);
  if (bits < 0x80) return true;
  return all_of_code_points(bytes, [](UChar32 code_point) { return code_point >= 0; });
}

bool has_control_characters(std::string_view text) {
  return !all_of_code_points(
      text, [](UChar32 code_point) { return u_charType(code_point) != U_CONTROL_CHAR; });
}

}  // namespace maas::text
