// Used by text/ alone: words that are part of names or could be taken for one.
#pragma once

#include <string_view>

namespace maas::text {

// All words are folded.

bool is_title(std::string_view word);          // "dr", "mrs"
bool is_name_particle(std::string_view word);  // "van", "de"

// Whether a name is written like a word of another meaning ("will", "mark", "rose"), so that only
// its capital tells it apart. A single ASCII letter is one too.
bool is_word_and_name(std::string_view word);

}  // namespace maas::text
