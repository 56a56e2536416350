#include "models.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "llm/chat_client_openai.hpp"
#include "llm/embedding_cache.hpp"
#include "llm/local_embedder.hpp"
#include "llm/remote_embedder.hpp"
#include "trace/metrics.hpp"

#include <filesystem>
#include <string>
#include <utility>

namespace maas {

const std::string_view kWordsAlone =
    "memories are found by their words alone, not by what they mean; scripts/model makes an "
    "embedding model for this server, MAAS_LOCAL_MODEL names the directory of one, or "
    "EMBEDDING_PROVIDER a provider";

const std::string_view kNoLlm =
    "memories are messages as they were said, summaries are sentences of the conversation; "
    "LLM_PROVIDER and LLM_API_KEY name a model that writes both";

namespace {

constexpr std::string_view kNone = "none";
constexpr std::size_t kMebibyte = 1u << 20;
constexpr std::size_t kWaitingPerCall = 8;

std::unique_ptr<http::Client> make_client(http::ClientOptions options, const std::string& provider,
                                          const Config& config, EventLoops& loops) {
  options.upstream = provider;
  options.ca_file = config.ca_file;
  options.max_waiting = kWaitingPerCall * options.max_concurrency;
  return std::make_unique<http::Client>(loops, std::move(options));
}

// Where a model lies that nobody named: beside this program where it was built, in lib/maas beside
// its bin where it was installed.
std::filesystem::path default_model() {
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  auto built = here / "model";
  return std::filesystem::exists(built) ? built : here.parent_path() / "lib/maas/model";
}

// Null: no model is there, or none is wanted. Throws Error when one is there and doesn't work.
std::unique_ptr<llm::Embedder> make_local(const Config& config) {
  if (config.local_model == kNone) return nullptr;
  std::filesystem::path directory = config.local_model;
  if (directory.empty()) {
    directory = default_model();
    if (!std::filesystem::exists(directory / "model.onnx")) {
      log::warn(kWordsAlone);
      return nullptr;
    }
  }
  return llm::make_local_embedder(
      {.directory = std::move(directory),
       .threads = config.embedding_threads,
       .runtime = default_model(),
       .remedy = "Run scripts/model to make it anew; MAAS_LOCAL_MODEL=none serves without a model, "
                 "by words alone"});
}

std::unique_ptr<llm::Embedder> make_fastembed(const Config& config) {
  return llm::make_local_embedder(
      {.engine = config.embedding.provider,
       .directory = config.model_path,
       .name = config.model_name,
       .dims = config.model_dims,
       .threads = config.embedding_threads,
       .runtime = default_model(),
       .remedy =
           "EMBEDDING_MODEL_PATH has to name the directory of a sentence embedding model with "
           "a BERT tokenizer"});
}

std::unique_ptr<llm::Embedder> make_embedder(const Config& config, http::Client* client) {
  std::unique_ptr<llm::Embedder> embedder;
  if (config.embedding.provider == "local") {
    embedder = make_local(config);
  } else if (config.embedding.provider == "fastembed") {
    embedder = make_fastembed(config);
  } else if (client) {
    embedder = llm::make_remote_embedder(*client, config.embedding);
  }
  if (!embedder || config.embedding_cache_mb == 0) return embedder;
  const auto cached = client ? llm::CachedTexts::all : llm::CachedTexts::queries;
  return llm::make_embedding_cache(std::move(embedder), cached,
                                   config.embedding_cache_mb * kMebibyte);
}

}  // namespace

Models::Models(const Config& config, EventLoops& loops) {
  if (config.embeds_over_http()) {
    embedding_client_ =
        make_client(config.embedding_client, config.embedding.provider, config, loops);
  }
  embedder_ = make_embedder(config, embedding_client_.get());
  if (!config.has_llm()) return;
  chat_client_ = make_client(config.chat_client, config.chat.provider, config, loops);
  chat_ = llm::make_openai_chat_client(*chat_client_, config.chat);
  if (config.summarizing_model() == config.chat.model) return;
  llm::ChatOptions options = config.chat;
  options.model = config.summarizing_model();
  summarizing_ = llm::make_openai_chat_client(*chat_client_, std::move(options));
}

std::string_view Models::embedder_name() const { return embedder_ ? embedder_->engine() : kNone; }
std::string_view Models::chat_name() const { return chat_ ? chat_->provider() : kNone; }

std::vector<trace::Reading> Models::readings() const {
  trace::Metrics& metrics = trace::metrics();
  std::vector<trace::Reading> readings;
  const auto watch = [&](const http::Client* client, std::string_view calls) {
    if (!client) return;
    readings.emplace_back(metrics.queue_depth, trace::Labels{calls},
                          [client] { return static_cast<double>(client->waiting()); });
    readings.emplace_back(metrics.upstream_retries, trace::Labels{calls, client->upstream()},
                          [client] { return static_cast<double>(client->retries()); });
  };
  watch(chat_client_.get(), "chat");
  watch(embedding_client_.get(), "embeddings");
  return readings;
}

}  // namespace maas
