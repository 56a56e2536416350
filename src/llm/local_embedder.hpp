#pragma once

#include "llm/embedder.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>

namespace maas::llm {

struct LocalModelOptions {
  std::filesystem::path directory;  // as scripts/model makes it
  std::size_t threads = 1;
};

// An embedder that computes in this process, on threads of its own: a text takes one of them for a
// few milliseconds to tens of them. Texts beyond the model's length count with their beginning
// alone. Queries go first, and the documents of concurrent calls take turns. It has to end before
// the event loops that call it. Throws Error{unavailable} that says what to do if the directory
// does not hold a model that works.
std::unique_ptr<Embedder> make_local_embedder(const LocalModelOptions& options);

}  // namespace maas::llm
