#pragma once

#include <string>
#include <string_view>

namespace maas::text {

// `text`, valid UTF-8, in the form in which it is compared: NFKC and case folded (Unicode's
// NFKC_Casefold). Thread-safe.
std::string folded(std::string_view text);

// The same without white space at both ends, each run of white space within as one space.
std::string folded_line(std::string_view text);

// A 128-bit hash (XXH3), as 16 bytes. Not for secrets.
std::string digest(std::string_view bytes);

}  // namespace maas::text
