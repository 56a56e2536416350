#pragma once

#include "core/message.hpp"

#include <cstdint>
#include <span>

namespace maas::stm {

std::int64_t total_tokens(std::span<const Message> messages);

// The newest messages that have at most `max_tokens` tokens together.
std::span<const Message> newest_within(std::span<const Message> messages, std::int64_t max_tokens);

// How a token threshold is kept.
struct ContextPlan {
  std::span<const Message> window;        // what stays as it is
  std::span<const Message> to_summarize;  // the oldest part, empty if nothing has to go
  std::int64_t summary_tokens = 0;        // what its summary may take
};

// All messages while they have at most `max_tokens` tokens. Past that the oldest 60 % (rounded up)
// are to be summarized, and as many more as it takes to leave a quarter of `max_tokens` for the
// summary, so that window and summary never exceed `max_tokens` and the next append has room.
ContextPlan plan_token_threshold(std::span<const Message> messages, std::int64_t max_tokens);

}  // namespace maas::stm
