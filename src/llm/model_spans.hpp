#pragma once

#include "llm/chat_client.hpp"
#include "llm/chat_protocol.hpp"
#include "llm/embedder.hpp"
#include "trace/span.hpp"

#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// What spans tell of calls of models, in the names of OpenTelemetry's conventions for them.
namespace maas::llm {

// Who is called.
struct CalledModel {
  std::string_view provider;  // as the configuration names it
  std::string_view model;
  std::string_view url = {};  // empty: it runs in this process
};

// `operation` is "chat" or "embeddings".
trace::Span begin_model_span(const trace::Parent& parent, std::string_view operation,
                             const CalledModel& called);

void tell_chat(trace::Span& span, const ChatRequest& request, const ChatParameters& parameters,
               const ChatQuirks& quirks);
void tell_completion(trace::Span& span, const Completion& completion);

// Texts are told only where content may be.
void tell_embeddings(trace::Span& span, std::span<const std::string> texts, std::size_t dims);

// What a provider of embeddings says beside the vectors; empty and 0: nothing.
struct EmbeddingUsage {
  std::string model = {};
  std::int64_t tokens = 0;

  bool operator==(const EmbeddingUsage&) const = default;
};
EmbeddingUsage usage_in(std::string_view reply);
void tell_usage(trace::Span& span, const EmbeddingUsage& usage);

// The conventions' name of a provider where they have one of their own.
std::string_view conventional_name(std::string_view provider);

// `status` is that of the last reply; 0: there was none.
std::string failure_type(std::exception_ptr failure, unsigned status);  // "timeout", "429"
void tell_failure(trace::Span& span, std::exception_ptr failure, unsigned status);

}  // namespace maas::llm
