#pragma once

#include "core/memory.hpp"

#include <string>

namespace maas::ltm {

// What the texts of memories' metadata, JSON objects, tell. Empty: there is none.

// The text "speaker"; empty: there is none.
std::string speaker_in(const std::string& metadata);

// Both; where a key is in both, the value that `newer` has.
std::string merged_metadata(const std::string& older, const std::string& newer);

// The mark of a message that was kept because the LLM failed: {"unprocessed": true}.
std::string marked_unprocessed(const std::string& metadata);
bool is_unprocessed(const Memory& memory);
std::string without_unprocessed(const std::string& metadata);

}  // namespace maas::ltm
