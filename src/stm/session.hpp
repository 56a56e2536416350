// stm: short-term memory, the messages of sessions and the window of them that a model is shown.
#pragma once

#include "core/message.hpp"
#include "trace/span.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::stm {

// Whose messages a store is asked for, and below which span.
struct SessionKey {
  std::string tenant;
  std::string session;
  trace::Parent parent = {};
};

enum class Strategy { sliding_window, token_threshold };

std::string_view to_string(Strategy strategy);
std::optional<Strategy> strategy_from(std::string_view name);

// How a session's context is made, complete.
struct ContextSettings {
  Strategy strategy = Strategy::sliding_window;
  std::int64_t max_messages = 50;
  std::int64_t max_tokens = 8000;
};

// What a session sets for itself; for what it does not, the server's settings apply.
struct SessionSettings {
  std::optional<Strategy> strategy;
  std::optional<std::int64_t> max_messages;
  std::optional<std::int64_t> max_tokens;

  ContextSettings over(const ContextSettings& defaults) const;
};

// A change of a session's settings. Outer nullopt: keep; inner nullopt: back to the server's.
struct SettingsChange {
  std::optional<std::optional<Strategy>> strategy;
  std::optional<std::optional<std::int64_t>> max_messages;
  std::optional<std::optional<std::int64_t>> max_tokens;
};

// For one call, instead of the session's settings.
struct ContextOverrides {
  std::optional<std::int64_t> max_messages;
  std::optional<std::int64_t> max_tokens;
};

// A session's own settings and the messages that its context is made of, read as one.
struct SessionSnapshot {
  SessionSettings settings;
  std::vector<Message> messages;  // oldest first
};

}  // namespace maas::stm
