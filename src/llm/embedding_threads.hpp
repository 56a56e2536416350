#pragma once

#include "llm/embedder.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace maas::llm {

// Threads that make a vector of one text at a time. Queries go first, for someone waits for them;
// but every ninth text is a document's, so that writing goes on under any load of searches. Calls
// of the same kind take turns text by text, so that a small one never waits for a large one.
class EmbeddingThreads {
 public:
  // `compute` is called on several threads at once.
  using Compute = std::function<Vector(const std::string&)>;

  EmbeddingThreads(std::size_t count, Compute compute);
  // Waits for texts that are being computed; calls that still wait are dropped.
  ~EmbeddingThreads();

  // A vector for each text, in order, on the caller's event loop; rethrows what `compute` threw.
  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind);

 private:
  class Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace maas::llm
