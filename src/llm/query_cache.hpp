#pragma once

#include "llm/embedder.hpp"

#include <cstddef>
#include <memory>

namespace maas::llm {

// An embedder that keeps the vectors of the queries asked last, in at most `max_bytes` of memory:
// applications ask the same things again. A query that it keeps completes without suspending.
// Documents pass through. Texts are the keys alone, for an embedder has one model all its life.
std::unique_ptr<Embedder> make_query_cache(std::unique_ptr<Embedder> embedder,
                                           std::size_t max_bytes);

}  // namespace maas::llm
