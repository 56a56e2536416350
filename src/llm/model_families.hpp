#pragma once

#include "llm/embedder.hpp"

#include <string_view>

namespace maas::llm {

// What is known of embedding models by parts of their names, in any case. The models' own cards say
// it.

// What stands before a text for models that want to be told what it is for; empty for others.
std::string_view prefix_of(std::string_view model, TextKind kind);

// Whether a text's vector is that of its first token, not the mean of all.
bool pools_first_token(std::string_view model);

}  // namespace maas::llm
