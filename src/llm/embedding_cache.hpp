#pragma once

#include "llm/embedder.hpp"

#include <cstddef>
#include <memory>

namespace maas::llm {

enum class CachedTexts {
  queries,  // documents pass through: each is embedded about once, and costs a local model little
  all,
};

// An embedder that keeps the vectors of the texts embedded last, in at most `max_bytes` of memory:
// applications ask the same things again, and say them again. A text that it keeps completes
// without suspending. Kind and text are the key, for an embedder has one model all its life.
std::unique_ptr<Embedder> make_embedding_cache(std::unique_ptr<Embedder> embedder,
                                               CachedTexts cached, std::size_t max_bytes);

}  // namespace maas::llm
