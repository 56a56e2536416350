#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace maas::llm {

// A matrix of token ids, or of what goes with them, for an input of a graph.
struct OnnxInput {
  std::string name = {};
  std::vector<std::int64_t> values = {};  // row by row
};

struct OnnxOutput {
  std::string name = {};
  std::size_t rank = 0;  // of its shape
};

struct OnnxTensor {
  std::vector<std::size_t> shape = {};
  std::vector<float> values = {};  // the last dimension's beside each other
};

// A model file in memory, run by ONNX Runtime on the calling thread. Thread-safe. The runtime is
// loaded with the first model, so that a server without a model needs no library; it stays loaded.
class OnnxSession {
 public:
  // Looks for libonnxruntime.so in `runtimes`, in order, and then in the system. Throws
  // Error{unavailable}, with the reason and no remedy, if there is none or it refuses the file.
  OnnxSession(std::span<const std::filesystem::path> runtimes, const std::filesystem::path& file);
  ~OnnxSession();

  const std::vector<std::string>& inputs() const;
  const std::vector<OnnxOutput>& outputs() const;  // those of floats

  // The output of the graph for inputs of [rows, values / rows] each. Throws Error{unavailable} if
  // the runtime fails.
  OnnxTensor run(std::span<OnnxInput> inputs, std::size_t rows, const std::string& output) const;

 private:
  class Runtime;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace maas::llm
