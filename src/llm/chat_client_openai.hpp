#pragma once

#include "http/client.hpp"
#include "llm/chat_client.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace maas::llm {

struct ChatOptions {
  std::string provider = "openai";  // of kChatProviders
  std::string base_url = {};        // empty: the provider's own
  std::string azure_endpoint = {};
  std::string api_version = "2024-10-21";  // of azure_openai
  std::string model = "gpt-4.1-mini";
  std::string key = {};  // empty: none is sent
  double temperature = .1;
  std::int64_t max_tokens = 4096;  // of an answer that doesn't say
};

// A client of the OpenAI Chat Completions protocol, which all providers of chat here speak. Borrows
// the HTTP client. Throws Error{invalid_argument} for options that don't make a URL.
std::unique_ptr<ChatClient> make_openai_chat_client(http::Client& client, ChatOptions options);

}  // namespace maas::llm
