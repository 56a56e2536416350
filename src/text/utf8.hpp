#pragma once

#include <string_view>

namespace maas::text {

// True if `bytes` are well-formed UTF-8 (no overlong forms, no surrogates).
bool is_valid_utf8(std::string_view bytes);

// True if `text`, valid UTF-8, holds a control character (Unicode category Cc).
bool has_control_characters(std::string_view text);

}  // namespace maas::text
