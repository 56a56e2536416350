#include "core/error.hpp"
#include "core/log.hpp"
#include "llm/embedding_threads.hpp"
#include "llm/local_embedder.hpp"
#include "llm/wordpiece.hpp"

#include <boost/json/parse.hpp>

#define ORT_API_MANUAL_INIT
#include <array>
#include <cstdint>
#include <dlfcn.h>
#include <fstream>
#include <iterator>
#include <onnxruntime_c_api.h>
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

// Loaded when a model is wanted, so that a server without one needs no library. It stays: its
// threads' exit handlers would otherwise run code that is gone.
const OrtApi& load_runtime(const fs::path& directory) {
  const fs::path beside = directory / "libonnxruntime.so";
  void* library = dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string failure = library == nullptr ? dlerror() : "";
  for (const char* name : {"libonnxruntime.so.1", "libonnxruntime.so"}) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) throw broken(beside.string() + " can't be loaded", failure);
  using GetApiBase = const OrtApiBase* (*)();
  const auto get_api_base = reinterpret_cast<GetApiBase>(dlsym(library, "OrtGetApiBase"));
  const OrtApiBase* base = get_api_base == nullptr ? nullptr : get_api_base();
  const OrtApi* api = base == nullptr ? nullptr : base->GetApi(ORT_API_VERSION);
  if (api == nullptr) {
    throw broken("its ONNX Runtime is older than 1." + std::to_string(ORT_API_VERSION));
  }
  return *api;
}

void ORT_API_CALL log_line(void*, OrtLoggingLevel level, const char*, const char*, const char*,
                           const char* message) {
  log::write(level >= ORT_LOGGING_LEVEL_ERROR ? log::Level::error : log::Level::warn,
             "ONNX Runtime", {{"text", std::string_view(message)}});
}

// Objects of the runtime, each with the function that frees it.
template <class T>
using Owned = std::unique_ptr<T, void(ORT_API_CALL*)(T*)>;

// A model in memory that makes a vector of a text's tokens. Thread-safe.
class OnnxModel {
 public:
  OnnxModel(const fs::path& directory, std::size_t dims)
      : api_(load_runtime(directory)),
        dims_(dims),
        environment_(own(api_.ReleaseEnv,
                         [this](OrtEnv** made) {
                           return api_.CreateEnvWithCustomLogger(
                               log_line, nullptr, ORT_LOGGING_LEVEL_WARNING, "maas", made);
                         })),
        memory_(own(api_.ReleaseMemoryInfo,
                    [this](OrtMemoryInfo** made) {
                      return api_.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, made);
                    })),
        session_(open(directory / "model.onnx")) {}

  // One text a run: nothing is padded, no text's vector depends on its neighbours, and the cores
  // are used best by texts in parallel. A batch of eight on one thread is a tenth faster a text.
  Vector run(std::span<std::int64_t> ids) const {
    Vector vector(dims_);
    const auto input =
        tensor(std::as_writable_bytes(ids), ids.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
    const auto output = tensor(std::as_writable_bytes(std::span(vector)), vector.size(),
                               ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    const char* const input_name = "input_ids";
    const char* const output_name = "embedding";
    const OrtValue* const input_value = input.get();
    OrtValue* output_value = output.get();
    const std::string failure = text_of(api_.Run(session_.get(), nullptr, &input_name, &input_value,
                                                 1, &output_name, 1, &output_value));
    if (!failure.empty()) {
      throw Error(Errc::unavailable, "The local embedding model failed on a text", failure);
    }
    return vector;
  }

 private:
  // Frees `status`; empty: it is a success.
  std::string text_of(OrtStatus* status) const {
    if (status == nullptr) return {};
    std::string text = api_.GetErrorMessage(status);
    api_.ReleaseStatus(status);
    return text.empty() ? "no reason given" : text;
  }

  // For what happens while the model is loaded.
  void check(OrtStatus* status) const {
    const std::string failure = text_of(status);
    if (!failure.empty()) throw broken("ONNX Runtime refuses it", failure);
  }

  template <class T, class Create>
  Owned<T> own(void(ORT_API_CALL* release)(T*), Create create) const {
    T* made = nullptr;
    check(create(&made));
    return {made, release};
  }

  Owned<OrtSession> open(const fs::path& file) const {
    const auto options = own(api_.ReleaseSessionOptions, [this](OrtSessionOptions** made) {
      return api_.CreateSessionOptions(made);
    });
    check(api_.SetIntraOpNumThreads(options.get(), 1));
    check(api_.SetInterOpNumThreads(options.get(), 1));
    check(api_.SetSessionExecutionMode(options.get(), ORT_SEQUENTIAL));
    // The graph is written with fused operators where they are faster; more fusing makes it slower.
    check(api_.SetSessionGraphOptimizationLevel(options.get(), ORT_ENABLE_BASIC));
    // Each length of text is a pattern of its own: they would only pile up.
    check(api_.DisableMemPattern(options.get()));
    return own(api_.ReleaseSession, [&](OrtSession** made) {
      return api_.CreateSession(environment_.get(), file.c_str(), options.get(), made);
    });
  }

  // A tensor of one row that borrows `bytes`.
  Owned<OrtValue> tensor(std::span<std::byte> bytes, std::size_t length,
                         ONNXTensorElementDataType type) const {
    const std::array<std::int64_t, 2> shape = {1, static_cast<std::int64_t>(length)};
    return own(api_.ReleaseValue, [&](OrtValue** made) {
      return api_.CreateTensorWithDataAsOrtValue(memory_.get(), bytes.data(), bytes.size(),
                                                 shape.data(), shape.size(), type, made);
    });
  }

  const OrtApi& api_;
  std::size_t dims_;
  Owned<OrtEnv> environment_;
  Owned<OrtMemoryInfo> memory_;
  Owned<OrtSession> session_;
};

class LocalEmbedder final : public Embedder {
 public:
  LocalEmbedder(const fs::path& directory, std::size_t threads)
      : config_(read_config(directory / "config.json")),
        tokenizer_(read_file(directory / "vocab.txt")),
        model_(directory, config_.dims),
        threads_(threads, [this](const std::string& text) { return vector_of(text); }) {
    // Fails if the files are not of one model: the last token has to have an embedding, and
    // vectors the dimensions that the configuration says.
    std::array<std::int64_t, 1> last = {static_cast<std::int64_t>(tokenizer_.size()) - 1};
    try {
      model_.run(last);
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
    return model_.run(ids);
  }

  ModelConfig config_;
  WordPiece tokenizer_;
  OnnxModel model_;
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
