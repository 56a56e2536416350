#include "stm/session.hpp"

namespace maas::stm {

std::string_view to_string(Strategy strategy) {
  return strategy == Strategy::sliding_window ? "sliding_window" : "token_threshold";
}

std::optional<Strategy> strategy_from(std::string_view name) {
  for (const Strategy strategy : {Strategy::sliding_window, Strategy::token_threshold}) {
    if (name == to_string(strategy)) return strategy;
  }
  return std::nullopt;
}

ContextSettings SessionSettings::over(const ContextSettings& defaults) const {
  return {.strategy = strategy.value_or(defaults.strategy),
          .max_messages = max_messages.value_or(defaults.max_messages),
          .max_tokens = max_tokens.value_or(defaults.max_tokens)};
}

}  // namespace maas::stm
