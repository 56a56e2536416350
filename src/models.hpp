#pragma once

#include "config.hpp"
#include "core/event_loops.hpp"
#include "http/client.hpp"
#include "llm/chat_client.hpp"
#include "llm/embedder.hpp"
#include "trace/instrument.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace maas {

// The models that a configuration names, with the clients that reach them. To be destroyed when the
// event loops no longer run.
class Models {
 public:
  // Borrows the loops. Throws Error when a model can't be set up; one that can't be reached is no
  // such error.
  Models(const Config& config, EventLoops& loops);

  llm::Embedder* embedder() { return embedder_.get(); }  // null: search is by words alone
  llm::ChatClient* chat() { return chat_.get(); }        // null: there is no LLM
  llm::ChatClient* summarizing() { return summarizing_ ? summarizing_.get() : chat_.get(); }

  std::string_view embedder_name() const;  // "local", "openai", "none"
  std::string_view chat_name() const;

  // What waits for providers, and how often they were asked again.
  std::vector<trace::Reading> readings() const;

 private:
  std::unique_ptr<http::Client> embedding_client_;
  std::unique_ptr<http::Client> chat_client_;
  std::unique_ptr<llm::Embedder> embedder_;
  std::unique_ptr<llm::ChatClient> chat_;
  std::unique_ptr<llm::ChatClient> summarizing_;  // null: the LLM's own model
};

// What it means that there is no embedder, for logs and /health/ready.
extern const std::string_view kWordsAlone;
// What it means that there is no LLM.
extern const std::string_view kNoLlm;

}  // namespace maas
