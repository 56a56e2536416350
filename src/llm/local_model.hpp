#pragma once

#include "llm/embedder.hpp"
#include "llm/model_directory.hpp"
#include "llm/onnx_session.hpp"
#include "llm/wordpiece.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace maas::llm {

// A sentence embedding model in memory. Immutable, so thread-safe.
class LocalModel {
 public:
  // Loads the graph, which takes a part of a second to some, and tries it. `runtimes` as for
  // OnnxSession. Throws Error{unavailable} with the reason and no remedy.
  LocalModel(const ModelDirectory& directory, std::span<const std::filesystem::path> runtimes);

  // A vector for each text, in order, computed on the calling thread. Texts beyond the model's
  // length count with their beginning alone. Throws Error{unavailable} if the runtime fails.
  std::vector<Vector> embed(std::span<const std::string* const> texts) const;

  // Whether short texts are computed quicker together than one by one; if so, embed() does that.
  bool shares_runs() const { return shares_runs_; }

 private:
  using Ids = std::vector<std::int64_t>;

  void choose_inputs(const std::filesystem::path& file);
  void choose_output(const std::filesystem::path& file);
  bool gives_the_same_in_company() const;
  void run(std::span<const std::size_t> rows, const std::vector<Ids>& ids,
           std::vector<Vector>& vectors) const;
  Vector pooled(const OnnxTensor& tensor, std::size_t row, std::size_t tokens) const;

  std::size_t dims_;
  std::size_t max_tokens_;
  Pooling pooling_;
  WordPiece tokenizer_;
  OnnxSession session_;
  bool has_mask_ = false;
  bool has_types_ = false;
  bool shares_runs_ = false;
  std::string output_;
};

}  // namespace maas::llm
