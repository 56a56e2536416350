#pragma once

#include "llm/embedder.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace maas::llm {

// Threads that make vectors of texts. Queries go first, for someone waits for them; but after eight
// of their texts comes one of a document, so that writing goes on under any load of searches. Calls
// of the same kind take turns text by text, short ones first, so that a small call never waits for
// a large one. With a model that is quicker so, short texts that wait, also of several calls, are
// handed over together.
class EmbeddingThreads {
 public:
  // A vector for each text, in order; called on several threads at once.
  using Compute = std::function<std::vector<Vector>(std::span<const std::string* const>)>;

  // Whether texts are to be handed over together; called on each thread before its first text, and
  // may wait there.
  using SharesRuns = std::function<bool()>;

  EmbeddingThreads(std::size_t count, Compute compute, SharesRuns shares_runs);
  // Waits for texts that are being computed; calls that still wait are dropped.
  ~EmbeddingThreads();

  // A vector for each text, in order, on the caller's event loop; rethrows what `compute` threw
  // for one of them.
  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind);

 private:
  class Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace maas::llm
