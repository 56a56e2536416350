#include "core/error.hpp"
#include "core/log.hpp"
#include "llm/onnx_session.hpp"

#define ORT_API_MANUAL_INIT
#include <array>
#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <string_view>
#include <utility>

namespace maas::llm {
namespace {

namespace fs = std::filesystem;

Error unusable(std::string what, std::string detail = {}) {
  return Error(Errc::unavailable, std::move(what), std::move(detail));
}

// It stays loaded: its threads' exit handlers would otherwise run code that is gone.
const OrtApi& load_runtime(const fs::path& directory) {
  const fs::path beside = directory / "libonnxruntime.so";
  void* library = dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string failure = library == nullptr ? dlerror() : "";
  for (const char* name : {"libonnxruntime.so.1", "libonnxruntime.so"}) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) throw unusable(beside.string() + " can't be loaded", failure);
  using GetApiBase = const OrtApiBase* (*)();
  const auto get_api_base = reinterpret_cast<GetApiBase>(dlsym(library, "OrtGetApiBase"));
  const OrtApiBase* base = get_api_base == nullptr ? nullptr : get_api_base();
  const OrtApi* api = base == nullptr ? nullptr : base->GetApi(ORT_API_VERSION);
  if (api == nullptr) {
    throw unusable("its ONNX Runtime is older than 1." + std::to_string(ORT_API_VERSION));
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

}  // namespace

class OnnxSession::Runtime {
 public:
  Runtime(const fs::path& directory, const fs::path& file)
      : api_(load_runtime(directory)),
        environment_(own(api_.ReleaseEnv,
                         [this](OrtEnv** made) {
                           return api_.CreateEnvWithCustomLogger(
                               log_line, nullptr, ORT_LOGGING_LEVEL_WARNING, "maas", made);
                         })),
        memory_(own(api_.ReleaseMemoryInfo,
                    [this](OrtMemoryInfo** made) {
                      return api_.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, made);
                    })),
        session_(open(file)) {}

  std::vector<float> run(const char* input_name, std::span<std::int64_t> ids,
                         const char* output_name, std::size_t dims) const {
    std::vector<float> vector(dims);
    const auto input =
        tensor(std::as_writable_bytes(ids), ids.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
    const auto output = tensor(std::as_writable_bytes(std::span(vector)), vector.size(),
                               ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
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
    if (!failure.empty()) throw unusable("ONNX Runtime refuses it", failure);
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
  Owned<OrtEnv> environment_;
  Owned<OrtMemoryInfo> memory_;
  Owned<OrtSession> session_;
};

OnnxSession::OnnxSession(const fs::path& directory, const fs::path& file)
    : runtime_(std::make_unique<Runtime>(directory, file)) {}

OnnxSession::~OnnxSession() = default;

std::vector<float> OnnxSession::run(const std::string& input, std::span<std::int64_t> ids,
                                    const std::string& output, std::size_t dims) const {
  return runtime_->run(input.c_str(), ids, output.c_str(), dims);
}

}  // namespace maas::llm
