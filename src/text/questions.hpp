#pragma once

#include <string_view>

namespace maas::text {

// The share of a text's words that stand in questions, from 0 to 1: a question mark of any script
// ends one. 0 for a text without words.
double question_share(std::string_view text);

}  // namespace maas::text
