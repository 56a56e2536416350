#pragma once

#include "core/error.hpp"
#include "llm/embedder.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace maas::llm {

struct EmbeddingLimits {
  std::size_t texts = 1;     // of a request
  std::size_t bytes = 1;     // of a request's texts; a longer text goes alone
  std::size_t requests = 1;  // on their way at once: more would wait less and join less
};

// What a request was asked for is refused, and may not be with fewer texts.
class RefusedTexts : public Error {
 public:
  explicit RefusedTexts(Error error) : Error(std::move(error)) {}
};

// Joins the texts of calls that wait at the same time into requests: the first leaves at once;
// while others of its kind are on their way a search's text waits for up to 20 ms, one that is to
// be stored for 2, so that a busy server asks seldom. What is refused together is asked again call
// by call, so that none fails with another's text. Thread-safe. To be destroyed when the event
// loops no longer run.
class EmbeddingBatches {
 public:
  // Embeds texts of one kind, within the limits, below the span of the first that asked for them.
  // Runs on the event loop of a caller, which may be gone by then.
  using Send =
      std::function<Task<std::vector<Vector>>(std::vector<std::string>, TextKind, trace::Parent)>;

  // `when_full` is what a caller reads when too many texts wait already.
  EmbeddingBatches(const EmbeddingLimits& limits, std::string when_full, Send send);
  ~EmbeddingBatches();

  // A vector for each text, in order, on the caller's event loop. Rethrows what the last request
  // threw that one of the texts went with; Error{unavailable} when too many wait. Cancelling ends
  // the wait, not the request; texts that are in none yet are not sent.
  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind,
                                  trace::Parent parent = {});

 private:
  class Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace maas::llm
