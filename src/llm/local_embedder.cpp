#include "llm/local_embedder.hpp"

#include "core/error.hpp"
#include "llm/embedding_threads.hpp"
#include "llm/onnx_session.hpp"
#include "llm/wordpiece.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

namespace maas::llm {
namespace {

namespace fs = std::filesystem;

Error broken(const std::string& what, std::string detail = {}) {
  return Error(
      Errc::unavailable,
      "The local embedding model can't be used: " + what + ". Run scripts/model to make it anew",
      std::move(detail));
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw broken(path.string() + " can't be read");
  return content;
}

struct ModelConfig {
  std::string model;
  std::size_t dims = 0;
  std::size_t max_tokens = 0;
};

ModelConfig read_config(const fs::path& path) {
  const std::string text = read_file(path);
  try {
    const boost::json::value config = boost::json::parse(text);
    ModelConfig read{.model = std::string(config.at("model").as_string()),
                     .dims = config.at("dims").to_number<std::size_t>(),
                     .max_tokens = config.at("max_tokens").to_number<std::size_t>()};
    if (read.model.empty() || read.dims == 0 || read.max_tokens < 2)
      throw broken("a field is empty");
    return read;
  } catch (const std::exception& error) {
    throw broken(path.string() + " is not what scripts/model writes", error.what());
  }
}

OnnxSession open_session(const fs::path& directory) try {
  return OnnxSession(directory, directory / "model.onnx");
} catch (const Error& error) {
  throw broken(error.what(), error.detail());
}

class LocalEmbedder final : public Embedder {
 public:
  LocalEmbedder(const fs::path& directory, std::size_t threads)
      : config_(read_config(directory / "config.json")),
        tokenizer_(read_file(directory / "vocab.txt")),
        session_(open_session(directory)),
        threads_(threads, [this](const std::string& text) { return vector_of(text); }) {
    // Fails if the files are not of one model: the last token has to have an embedding, and
    // vectors the dimensions that the configuration says.
    std::array<std::int64_t, 1> last = {static_cast<std::int64_t>(tokenizer_.size()) - 1};
    try {
      run(last);
    } catch (const Error& error) {
      throw broken("its files don't belong together", error.detail());
    }
  }

  std::string_view engine() const override { return "local"; }
  std::string_view model() const override { return config_.model; }
  std::size_t dims() const override { return config_.dims; }

  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind) override {
    return threads_.embed(texts, kind);
  }

  Task<std::optional<std::string>> problem() override { co_return std::nullopt; }

 private:
  Vector vector_of(const std::string& text) const {
    std::vector<std::int64_t> ids = tokenizer_.encode(text, config_.max_tokens);
    return run(ids);
  }

  // One text a run: nothing is padded, no text's vector depends on its neighbours, and the cores
  // are used best by texts in parallel. A batch of eight on one thread is a tenth faster a text.
  Vector run(std::span<std::int64_t> ids) const {
    return session_.run("input_ids", ids, "embedding", config_.dims);
  }

  ModelConfig config_;
  WordPiece tokenizer_;
  OnnxSession session_;
  EmbeddingThreads threads_;
};

}  // namespace

std::unique_ptr<Embedder> make_local_embedder(const LocalModelOptions& options) {
  if (!fs::is_directory(options.directory)) {
    throw broken("there is no directory " + options.directory.string());
  }
  return std::make_unique<LocalEmbedder>(options.directory, options.threads);
}

}  // namespace maas::llm
