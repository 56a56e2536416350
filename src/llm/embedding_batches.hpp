#pragma once

#include "llm/embedder.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace maas::llm {

// Joins the texts of calls that wait at the same time into requests: the first leaves at once;
// while others are on their way what comes waits for some milliseconds, so that a busy server asks
// seldom. Thread-safe. To be destroyed when the event loops no longer run.
class EmbeddingBatches {
 public:
  // Embeds texts, each different, of one kind; at most `most_texts` at a time. Runs on the event
  // loop of a caller, which may be gone by then.
  using Send = std::function<Task<std::vector<Vector>>(std::vector<std::string>, TextKind)>;

  // Up to `most_requests` are on their way at once: more would wait less and join less. `when_full`
  // is what a caller reads when too many texts wait already.
  EmbeddingBatches(std::size_t most_texts, std::size_t most_requests, std::string when_full,
                   Send send);
  ~EmbeddingBatches();

  // A vector for each text, in order, on the caller's event loop. Rethrows what the request threw
  // that one of the texts went with; Error{unavailable} when too many wait. Cancelling ends the
  // wait, not the request.
  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind);

 private:
  class Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace maas::llm
