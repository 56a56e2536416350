#pragma once

#include "llm/embedder.hpp"

#include <string_view>

namespace maas::llm {

// What stands before a text for models that want to be told what it is for, by parts of their
// names in any case; empty for others. The models' own cards say so.
std::string_view prefix_of(std::string_view model, TextKind kind);

}  // namespace maas::llm
