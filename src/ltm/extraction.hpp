#pragma once

#include "core/time.hpp"
#include "llm/chat_client.hpp"
#include "text/token_counter.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace maas::ltm {

// A message that may be worth remembering.
struct SaidMessage {
  std::string role;
  std::string name;  // who said it; empty: not told
  std::string content;
};

// What was read from a model's answer, or what is wrong with it, in words for the model.
template <class T>
using Readout = std::variant<T, std::string>;

struct ExtractionLimits {
  text::Encoding encoding = text::Encoding::o200k_base;
  std::int64_t prompt_tokens = 6000;  // of a conversation in one prompt
  std::size_t facts = 100;            // of one prompt; more are a mistake of the model
};

// Whether facts are taken from what this role said: not from instructions (system, developer), and
// not from what is memory already (summary, memory) or a tool's.
bool is_listened_to(std::string_view role);

// Asks for the facts in a conversation that took place at `time`, in as many prompts as it takes:
// each has some of the messages, and the end of those before as context. Pure.
std::vector<llm::ChatRequest> extraction_requests(std::span<const SaidMessage> messages,
                                                  Timestamp time, const ExtractionLimits& limits);

// The facts of {"facts": ["…"]}, trimmed, each once, without blank ones.
Readout<std::vector<std::string>> facts_in(const boost::json::object& answer,
                                           const ExtractionLimits& limits);

}  // namespace maas::ltm
