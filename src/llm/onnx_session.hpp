#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace maas::llm {

// A model file in memory, run by ONNX Runtime on the calling thread. Thread-safe. The runtime is
// loaded with the first model, from the model's directory or else from the system, so that a
// server without a model needs no library; it stays loaded.
class OnnxSession {
 public:
  // Throws Error{unavailable}, with the reason and no remedy, if there is no runtime or it refuses
  // the file.
  OnnxSession(const std::filesystem::path& directory, const std::filesystem::path& file);
  ~OnnxSession();

  // The output `output`, [1, dims], of the graph for its one input `input`, [1, ids.size()].
  // Borrows `ids` while it runs. Throws Error{unavailable} if the runtime fails.
  std::vector<float> run(const std::string& input, std::span<std::int64_t> ids,
                         const std::string& output, std::size_t dims) const;

 private:
  class Runtime;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace maas::llm
