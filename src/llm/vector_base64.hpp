#pragma once

#include "llm/embedder.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace maas::llm {

// Vectors as base64 of their float32 values, little-endian: exact, and a third of what their
// numbers take as text.
std::string to_base64(std::span<const float> vector);
std::optional<Vector> vector_from_base64(std::string_view text);  // nullopt: it is no such text

}  // namespace maas::llm
