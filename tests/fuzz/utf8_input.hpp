#pragma once

#include "text/utf8.hpp"

#include <string>
#include <string_view>

namespace maas::fuzz {

// `bytes` with each byte that is not part of well-formed UTF-8 read as Latin-1, so that no input of
// the fuzzer is lost on functions that take valid UTF-8 only.
inline std::string valid_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    std::size_t length = 1;
    while (length <= 4 && !text::is_valid_utf8(bytes.substr(0, length))) ++length;
    if (length <= 4) {
      text += bytes.substr(0, length);
    } else {
      const auto byte = static_cast<unsigned char>(bytes.front());
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
      length = 1;
    }
    bytes.remove_prefix(length);
  }
  return text;
}

}  // namespace maas::fuzz
