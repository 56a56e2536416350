#pragma once

#include "text/token_counter.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace maas::llm {

// What somebody said as a model is shown it: "speaker: content" and a line break. Further lines are
// indented, so that nothing in a message can look like another turn. Content of more than
// `max_tokens` tokens becomes several such turns; nothing of it is lost. Empty for empty content.
std::vector<std::string> turns_of(std::string_view speaker, std::string_view content,
                                  std::int64_t max_tokens, text::Encoding encoding);

}  // namespace maas::llm
