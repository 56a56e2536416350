#pragma once

#include "core/message.hpp"
#include "core/task.hpp"
#include "llm/chat_client.hpp"
#include "text/token_counter.hpp"
#include "trace/span.hpp"

#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace maas::stm {

struct Summary {
  std::string content;  // empty: nothing could be said within the budget
  std::string method;   // how it was made: "extractive" or "llm"
};

// Writes one summary of the oldest messages of a session. The first of them may itself be a
// summary. Thread-safe. Throws Error when no summary could be made; the caller then replaces
// nothing.
class Summarizer {
 public:
  virtual ~Summarizer() = default;

  // A text of at most `max_tokens` tokens.
  virtual Task<Summary> summarize(std::span<const Message> messages, std::int64_t max_tokens,
                                  trace::Parent parent = {}) = 0;
};

// Chooses sentences of the conversation itself (extractive_summary.hpp); needs no model. Long
// conversations are read on `pool`, which outlives the summarizer.
std::unique_ptr<Summarizer> make_extractive_summarizer(text::Encoding encoding,
                                                       boost::asio::thread_pool& pool);

struct LlmSummarizerOptions {
  text::Encoding encoding = text::Encoding::o200k_base;
  std::int64_t context_tokens = 32'000;    // that the model takes, its answer included
  std::chrono::milliseconds time{22'500};  // for one summary, all calls together
};

// Lets a model write, which continues an earlier summary. What is more than it takes at once goes
// to it in parts, each with the summary so far. Long conversations are read on `pool`. Borrows the
// model and the pool.
std::unique_ptr<Summarizer> make_llm_summarizer(llm::ChatClient& model,
                                                const LlmSummarizerOptions& options,
                                                boost::asio::thread_pool& pool);

}  // namespace maas::stm
