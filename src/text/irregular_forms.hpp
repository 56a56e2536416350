// Used by text/ alone: English forms that a stemmer can't lead to their base.
#pragma once

#include <string_view>

namespace maas::text {

// The base of an irregular English form ("went": "go", "children": "child"); empty if `word`, which
// is folded, is none. Forms that are just as often another word ("rose", "bore") are not among
// them.
std::string_view irregular_base(std::string_view word);

}  // namespace maas::text
