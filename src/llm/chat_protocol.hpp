#pragma once

#include "llm/chat_client.hpp"
#include "llm/upstream_errors.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace maas::llm {

// Those who speak the OpenAI Chat Completions protocol, and where. An empty base is one of the
// caller's own.
struct ChatProvider {
  std::string_view name;
  std::string_view base;
};
inline constexpr std::array<ChatProvider, 11> kChatProviders{{
    {"openai", "https://api.openai.com/v1"},
    {"azure_openai", ""},
    {"grok", "https://api.x.ai/v1"},
    {"anthropic", "https://api.anthropic.com/v1"},
    {"openrouter", "https://openrouter.ai/api/v1"},
    {"kimi", "https://api.moonshot.cn/v1"},
    {"glm", "https://open.bigmodel.cn/api/paas/v4"},
    {"minimax", "https://api.minimax.chat/v1"},
    {"together", "https://api.together.xyz/v1"},
    {"deepseek", "https://api.deepseek.com/v1"},
    {"ollama", "http://localhost:11434/v1"},
}};

// What a model has shown not to know of the protocol.
struct ChatQuirks {
  bool wants_completion_tokens = false;  // max_completion_tokens instead of max_tokens
  bool refuses_temperature = false;
  bool refuses_response_format = false;

  bool operator==(const ChatQuirks&) const = default;
};

struct ChatParameters {
  std::string_view model;
  double temperature = 0;
  std::int64_t max_tokens = 0;
};

// The body of a request.
std::string chat_body(const ChatRequest& request, const ChatParameters& parameters,
                      const ChatQuirks& quirks);

// The quirks with one more, if a reply of status 400 complains of a parameter that the request had;
// nullopt: it complains of something else.
std::optional<ChatQuirks> quirk_in(std::string_view reply, const ChatQuirks& known,
                                   const ChatRequest& request);

// The answer in a reply of status 200. Throws UnusableReply that says what it lacks.
Completion completion_in(std::string_view reply);

}  // namespace maas::llm
