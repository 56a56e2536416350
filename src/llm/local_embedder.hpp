#pragma once

#include "llm/embedder.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

namespace maas::llm {

struct LocalModelOptions {
  std::string engine = "local";          // or "fastembed"
  std::filesystem::path directory = {};  // see model_directory.hpp
  std::string name = {};                 // of the model; empty: the directory says it
  std::size_t dims = 0;                  // that it has to have; 0: any
  std::size_t threads = 1;
  // Where libonnxruntime.so is if it isn't beside the model: the system's comes last.
  std::filesystem::path runtime = {};
  std::string remedy = {};  // a sentence without its full stop, for errors about the model
};

// An embedder that computes in this process, on threads of its own: a text takes one of them for a
// few milliseconds to tens of them. Texts beyond the model's length count with their beginning
// alone. Queries go first, and the documents of concurrent calls take turns. It has to end before
// the event loops that call it. Throws Error{unavailable} that says what to do if the directory
// holds no such model.
// The model itself is loaded in the background: calls wait for it, and problem() says so. If it
// can't be loaded, that is logged, and all calls fail with the reason.
std::unique_ptr<Embedder> make_local_embedder(const LocalModelOptions& options);

}  // namespace maas::llm
