#include "llm/local_embedder.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "llm/embedding_threads.hpp"
#include "llm/local_model.hpp"
#include "llm/model_directory.hpp"
#include "llm/model_metrics.hpp"
#include "llm/model_spans.hpp"

#include <array>
#include <chrono>
#include <future>
#include <utility>

namespace maas::llm {
namespace {

Error with_remedy(const Error& error, const LocalModelOptions& options) {
  return Error(error.code(),
               std::string("The local embedding model can't be used: ") + error.what() + ". " +
                   options.remedy,
               error.detail());
}

ModelDirectory read_directory(const LocalModelOptions& options) try {
  ModelDirectory read = read_model_directory(options.directory, options.name);
  if (options.dims != 0 && options.dims != read.dims) {
    throw Error(Errc::unavailable, options.directory.string() + " holds a model of " +
                                       std::to_string(read.dims) + " dimensions, not of " +
                                       std::to_string(options.dims));
  }
  return read;
} catch (const Error& error) {
  throw with_remedy(error, options);
}

// On a thread of its own.
std::unique_ptr<const LocalModel> load(ModelDirectory directory,
                                       const LocalModelOptions& options) try {
  const std::array runtimes = {options.directory, options.runtime};
  return std::make_unique<const LocalModel>(directory, runtimes);
} catch (const Error& error) {
  const Error told = with_remedy(error, options);
  log::error(told.what(), {{"detail", told.detail()}});
  throw told;
}

class LocalEmbedder final : public Embedder {
 public:
  LocalEmbedder(ModelDirectory directory, LocalModelOptions options)
      : options_(std::move(options)),
        space_(directory.space),
        dims_(directory.dims),
        query_prefix_(directory.query_prefix),
        document_prefix_(directory.document_prefix),
        model_(std::async(std::launch::async,
                          [this, from = std::move(directory)]() mutable {
                            return load(std::move(from), options_);  // it would stay as long as we
                          })),
        threads_(
            options_.threads,
            [this](std::span<const std::string* const> texts) {
              return model_.get()->embed(texts);
            },
            [this] { return shares_runs(); }) {}

  std::string_view engine() const override { return options_.engine; }
  std::string_view model() const override { return space_; }
  std::size_t dims() const override { return dims_; }

  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind,
                                  trace::Parent parent) override {
    const CalledModel called{options_.engine, space_};
    trace::Span span = begin_model_span(parent, "embeddings", called);
    const ModelTimer timer("embeddings", called);
    tell_embeddings(span, texts, dims_);
    std::vector<Vector> vectors;
    std::exception_ptr failure;
    try {
      vectors = co_await compute(texts, kind);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      timer.failed(failure, 0);
      tell_failure(span, failure, 0);
      std::rethrow_exception(failure);
    }
    timer.succeeded(0, 0);
    co_return vectors;
  }

  Task<std::optional<std::string>> problem() override {
    if (model_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      co_return "The local embedding model is being loaded";
    }
    try {
      model_.get();
    } catch (const Error& error) {
      co_return error.what();
    }
    co_return std::nullopt;
  }

 private:
  Task<std::vector<Vector>> compute(std::span<const std::string> texts, TextKind kind) {
    const std::string& prefix = kind == TextKind::query ? query_prefix_ : document_prefix_;
    if (prefix.empty()) co_return co_await threads_.embed(texts, kind);
    std::vector<std::string> prefixed;
    prefixed.reserve(texts.size());
    for (const std::string& text : texts) prefixed.push_back(prefix + text);
    co_return co_await threads_.embed(prefixed, kind);
  }

  bool shares_runs() const {
    try {
      return model_.get()->shares_runs();
    } catch (const Error&) {
      return false;  // load() has logged it, and each text will say it
    }
  }

  LocalModelOptions options_;
  std::string space_;
  std::size_t dims_;
  std::string query_prefix_;
  std::string document_prefix_;
  std::shared_future<std::unique_ptr<const LocalModel>> model_;
  EmbeddingThreads threads_;
};

}  // namespace

std::unique_ptr<Embedder> make_local_embedder(const LocalModelOptions& options) {
  return std::make_unique<LocalEmbedder>(read_directory(options), options);
}

}  // namespace maas::llm
