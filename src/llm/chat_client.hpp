#pragma once

#include "core/task.hpp"
#include "trace/span.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace maas::llm {

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

struct ChatRequest {
  std::vector<ChatMessage> messages = {};
  std::int64_t max_tokens = 0;    // of the answer; 0: what the client was made with
  bool json = false;              // the answer is to be a JSON object; the messages say so, too
  std::string_view purpose = {};  // "summarize": a literal, for traces
  trace::Parent parent = {};      // of the call's span
};

struct Completion {
  std::string content;
  bool cut = false;  // the answer reached its limit of tokens
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t cached_tokens = 0;     // of the prompt's
  std::int64_t reasoning_tokens = 0;  // of the completion's
  std::string id = {};                // as the provider knows it
  std::string model = {};             // that has answered
  std::string finish_reason = {};
};

// Asks a language model. Thread-safe. Throws Error{upstream_failed | unavailable |
// deadline_exceeded} that names provider, model and status, never the key or a prompt.
class ChatClient {
 public:
  virtual ~ChatClient() = default;

  virtual std::string_view provider() const = 0;  // "openai"
  virtual std::string_view model() const = 0;

  virtual Task<Completion> complete(const ChatRequest& request) = 0;
};

}  // namespace maas::llm
