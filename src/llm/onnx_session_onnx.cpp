#include "core/error.hpp"
#include "core/log.hpp"
#include "llm/onnx_session.hpp"

#define ORT_API_MANUAL_INIT
#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <onnxruntime_session_options_config_keys.h>
#include <string_view>
#include <utility>

namespace maas::llm {
namespace {

namespace fs = std::filesystem;

Error unusable(std::string what, std::string detail = {}) {
  return Error(Errc::unavailable, std::move(what), std::move(detail));
}

// From 1.29 on the library tells its makers by itself what it is used for, unless this is set when
// it is loaded. Said before there is a second thread, for a runtime that somebody puts beside a
// model of his own.
[[maybe_unused]] const int kNothingIsReported = setenv("ORT_DISABLE_TELEMETRY", "1", 1);

// It stays loaded: its threads' exit handlers would otherwise run code that is gone.
const OrtApi& load_runtime(std::span<const fs::path> directories) {
  std::vector<std::string> names;
  for (const fs::path& directory : directories) names.push_back(directory / "libonnxruntime.so");
  names.insert(names.end(), {"libonnxruntime.so.1", "libonnxruntime.so"});
  void* library = nullptr;
  std::string failures;
  for (const std::string& name : names) {
    library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
    failures += (failures.empty() ? "" : "; ") + std::string(dlerror());
  }
  if (library == nullptr) throw unusable(names.front() + " can't be loaded", failures);
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
  Runtime(std::span<const fs::path> runtimes, const fs::path& file)
      : api_(load_runtime(runtimes)),
        environment_(own(api_.ReleaseEnv,
                         [this](OrtEnv** made) {
                           return api_.CreateEnvWithCustomLogger(
                               log_line, nullptr, ORT_LOGGING_LEVEL_WARNING, "maas", made);
                         })),
        memory_(own(api_.ReleaseMemoryInfo,
                    [this](OrtMemoryInfo** made) {
                      return api_.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, made);
                    })),
        session_(open(file)) {
    list_inputs();
    list_outputs();
  }

  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<OnnxOutput>& outputs() const { return outputs_; }

  OnnxTensor run(std::span<OnnxInput> inputs, std::size_t rows, const std::string& output) const {
    std::vector<Owned<OrtValue>> tensors;
    std::vector<const OrtValue*> values;
    std::vector<const char*> names;
    for (OnnxInput& input : inputs) {
      tensors.push_back(tensor(input.values, rows));
      values.push_back(tensors.back().get());
      names.push_back(input.name.c_str());
    }
    const char* const output_name = output.c_str();
    OrtValue* made = nullptr;
    const std::string failure =
        text_of(api_.Run(session_.get(), nullptr, names.data(), values.data(), values.size(),
                         &output_name, 1, &made));
    if (!failure.empty()) {
      throw Error(Errc::unavailable, "The local embedding model failed on a text", failure);
    }
    return read(Owned<OrtValue>(made, api_.ReleaseValue));
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
    // A sum and then a normalization are faster than both in one, by a few parts of a hundred.
    check(api_.AddSessionConfigEntry(options.get(), kOrtSessionOptionsDisableSpecifiedOptimizers,
                                     "SkipLayerNormFusion"));
    // Each length of text is a pattern of its own: they would only pile up.
    check(api_.DisableMemPattern(options.get()));
    return own(api_.ReleaseSession, [&](OrtSession** made) {
      return api_.CreateSession(environment_.get(), file.c_str(), options.get(), made);
    });
  }

  // A matrix that borrows `values`.
  Owned<OrtValue> tensor(std::span<std::int64_t> values, std::size_t rows) const {
    const std::array<std::int64_t, 2> shape = {static_cast<std::int64_t>(rows),
                                               static_cast<std::int64_t>(values.size() / rows)};
    return own(api_.ReleaseValue, [&](OrtValue** made) {
      return api_.CreateTensorWithDataAsOrtValue(memory_.get(), values.data(), values.size_bytes(),
                                                 shape.data(), shape.size(),
                                                 ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, made);
    });
  }

  // Copies, for what the runtime made is its own.
  OnnxTensor read(const Owned<OrtValue>& value) const {
    const auto info = own(api_.ReleaseTensorTypeAndShapeInfo, [&](auto** made) {
      return api_.GetTensorTypeAndShape(value.get(), made);
    });
    std::size_t rank = 0;
    check(api_.GetDimensionsCount(info.get(), &rank));
    std::vector<std::int64_t> shape(rank);
    check(api_.GetDimensions(info.get(), shape.data(), rank));
    std::size_t count = 0;
    check(api_.GetTensorShapeElementCount(info.get(), &count));
    float* data = nullptr;
    check(api_.GetTensorMutableData(value.get(), reinterpret_cast<void**>(&data)));
    return {{shape.begin(), shape.end()}, {data, data + count}};
  }

  template <class Name>
  std::string name_of(Name name_function, std::size_t index) const {
    OrtAllocator* allocator = nullptr;
    check(api_.GetAllocatorWithDefaultOptions(&allocator));
    char* text = nullptr;
    check(name_function(session_.get(), index, allocator, &text));
    const std::string name = text;
    check(api_.AllocatorFree(allocator, text));
    return name;
  }

  void list_inputs() {
    std::size_t count = 0;
    check(api_.SessionGetInputCount(session_.get(), &count));
    for (std::size_t i = 0; i < count; ++i) {
      inputs_.push_back(name_of(api_.SessionGetInputName, i));
    }
  }

  void list_outputs() {
    std::size_t count = 0;
    check(api_.SessionGetOutputCount(session_.get(), &count));
    for (std::size_t i = 0; i < count; ++i) {
      const auto type = own(api_.ReleaseTypeInfo, [&](OrtTypeInfo** made) {
        return api_.SessionGetOutputTypeInfo(session_.get(), i, made);
      });
      const OrtTensorTypeAndShapeInfo* info = nullptr;  // a part of `type`; null: not a tensor
      check(api_.CastTypeInfoToTensorInfo(type.get(), &info));
      if (info == nullptr) continue;
      ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
      check(api_.GetTensorElementType(info, &element));
      if (element != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) continue;
      std::size_t rank = 0;
      check(api_.GetDimensionsCount(info, &rank));
      outputs_.push_back({name_of(api_.SessionGetOutputName, i), rank});
    }
  }

  const OrtApi& api_;
  Owned<OrtEnv> environment_;
  Owned<OrtMemoryInfo> memory_;
  Owned<OrtSession> session_;
  std::vector<std::string> inputs_;
  std::vector<OnnxOutput> outputs_;
};

OnnxSession::OnnxSession(std::span<const fs::path> runtimes, const fs::path& file)
    : runtime_(std::make_unique<Runtime>(runtimes, file)) {}

OnnxSession::~OnnxSession() = default;

const std::vector<std::string>& OnnxSession::inputs() const { return runtime_->inputs(); }
const std::vector<OnnxOutput>& OnnxSession::outputs() const { return runtime_->outputs(); }

OnnxTensor OnnxSession::run(std::span<OnnxInput> inputs, std::size_t rows,
                            const std::string& output) const {
  return runtime_->run(inputs, rows, output);
}

}  // namespace maas::llm
