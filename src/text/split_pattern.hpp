// Used by text/ alone: how an encoding cuts text into the pieces that it turns into tokens.
#pragma once

#include "text/token_counter.hpp"

#include <string>

namespace maas::text {

// The pattern of all pieces, one match after the other, for PCRE2 with PCRE2_UTF and PCRE2_UCP.
std::string split_pattern(Encoding encoding);

}  // namespace maas::text
