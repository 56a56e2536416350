#include "stm/context_strategy.hpp"

#include <algorithm>

namespace maas::stm {

std::int64_t total_tokens(std::span<const Message> messages) {
  std::int64_t total = 0;
  for (const Message& message : messages) total += message.token_count;
  return total;
}

std::span<const Message> newest_within(std::span<const Message> messages, std::int64_t max_tokens) {
  std::int64_t tokens = 0;
  std::size_t kept = 0;
  while (kept < messages.size()) {
    tokens += messages[messages.size() - kept - 1].token_count;
    if (tokens > max_tokens) break;
    ++kept;
  }
  return messages.last(kept);
}

ContextPlan plan_token_threshold(std::span<const Message> messages, std::int64_t max_tokens) {
  if (total_tokens(messages) <= max_tokens) return {.window = messages, .to_summarize = {}};
  const std::int64_t summary_tokens = std::max<std::int64_t>(1, max_tokens / 4);
  const std::size_t oldest_share = (messages.size() * 3 + 4) / 5;
  const std::span<const Message> window =
      newest_within(messages.subspan(oldest_share), max_tokens - summary_tokens);
  return {.window = window,
          .to_summarize = messages.first(messages.size() - window.size()),
          .summary_tokens = summary_tokens};
}

}  // namespace maas::stm
