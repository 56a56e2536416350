#pragma once

#include "core/task.hpp"
#include "llm/embedder.hpp"
#include "ltm/inference.hpp"
#include "ltm/memory_store.hpp"

#include <cstddef>
#include <cstdint>

namespace maas::ltm {

// What models could not do when it was asked for, of all tenants: memories without a vector of the
// embedder's model, and messages that were kept because the LLM had failed. Each function does a
// part of it; a walk begins after the sequence 0 and goes on after the last part's. Borrows all.
struct BacklogPart {
  std::int64_t last = 0;     // sequence of the last memory looked at
  std::size_t seen = 0;      // 0: the walk has ended
  std::size_t finished = 0;  // that wait no longer
};

// Embeds up to `limit` memories. Throws what store and embedder throw.
Task<BacklogPart> embed_backlog(MemoryStore& store, llm::Embedder& embedder, std::int64_t after,
                                std::size_t limit);

// Puts the facts in up to `limit` messages in their place. Throws InferenceError when the LLM fails
// again, and what Inference throws else; conversations before that are finished.
Task<BacklogPart> infer_backlog(MemoryStore& store, Inference& inference, std::int64_t after,
                                std::size_t limit);

}  // namespace maas::ltm
