#pragma once

#include "core/message.hpp"
#include "text/token_counter.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace maas::stm {

// A summary of `messages` made of their own sentences, in their order, each with its speaker:
// those that cover most of what the conversation is about. Deterministic. At most `max_tokens`
// tokens; empty if not one sentence, or part of one, fits. An earlier summary among the messages is
// read line by line, and its sentences stand a better chance than new ones. Thread-safe; takes time
// linear in the text.
std::string extract_summary(std::span<const Message> messages, std::int64_t max_tokens,
                            text::Encoding encoding);

}  // namespace maas::stm
