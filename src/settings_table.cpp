#include "llm/chat_protocol.hpp"
#include "setting_kinds.hpp"
#include "telemetry_settings.hpp"

#include <algorithm>
#include <iterator>

namespace maas {
namespace {

// Words that stand for themselves.
std::vector<std::pair<std::string, std::string>> same(std::vector<std::string> words) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& word : words) pairs.emplace_back(word, word);
  return pairs;
}

std::vector<std::pair<std::string, std::string>> chat_providers() {
  std::vector<std::string> names{"none"};
  for (const llm::ChatProvider& provider : llm::kChatProviders) names.emplace_back(provider.name);
  return same(names);
}

std::vector<Setting> own_settings() {
  using log::Level;
  using ltm::Reconcile;
  using ltm::VectorStore;
  using ltm::documentdb::IndexKind;
  using stm::Strategy;
  return {
      free_text(
          "MAAS_HOST", [](Config& c) -> auto& { return c.server.host; },
          "address to listen on; other than loopback only with API keys"),
      integer<std::uint16_t>(
          "MAAS_PORT", [](Config& c) -> auto& { return c.server.port; }, 0, 65535,
          "port to listen on; 0: any free one"),
      free_text(
          "MAAS_DATA_DIR", [](Config& c) -> auto& { return c.data_dir; },
          "directory of the embedded database"),
      integer<std::size_t>(
          "MAAS_WORKERS", [](Config& c) -> auto& { return c.workers; }, 1, 64,
          "event loops, one thread each; default: the cores, at most 4"),
      secret(free_text(
          "MAAS_API_KEYS", [](Config& c) -> auto& { return c.api_keys; },
          "tenant:key pairs, comma-separated; empty: no key is asked for")),
      free_text(
          "MAAS_API_KEYS_FILE", [](Config& c) -> auto& { return c.api_keys_file; },
          "file with tenant:key pairs, one a line"),
      yes_or_no(
          "MAAS_ALLOW_ANONYMOUS", [](Config& c) -> auto& { return c.allow_anonymous; },
          "serve everybody who can reach the address when no keys are set"),
      integer<std::size_t>(
          "MAAS_MAX_CONNECTIONS", [](Config& c) -> auto& { return c.server.max_connections; }, 1,
          1'000'000, "open connections; more are answered with 503"),
      integer<std::size_t>(
          "MAAS_MAX_HEAD_BYTES", [](Config& c) -> auto& { return c.server.max_head_bytes; }, 1024,
          1'048'576, "size of a request's head; more is answered with 431"),
      integer<std::size_t>(
          "MAAS_MAX_BODY_BYTES", [](Config& c) -> auto& { return c.server.max_body_bytes; }, 1024,
          1'073'741'824, "size of a request's body; more is answered with 413"),
      milliseconds(
          "MAAS_HEADER_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.header_timeout; },
          "time for a request's head to arrive, else 408"),
      milliseconds(
          "MAAS_BODY_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.body_timeout; },
          "time for a request's body to arrive, else 408"),
      milliseconds(
          "MAAS_IDLE_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.idle_timeout; },
          "time between requests of a connection, and for a stalled reader"),
      milliseconds(
          "MAAS_REQUEST_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.request_timeout; },
          "time to work on a request, else 504"),
      milliseconds(
          "MAAS_STOP_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.stop_timeout; },
          "time for requests in flight when the server is asked to stop"),
      list(
          "MAAS_CORS_ORIGINS", [](Config& c) -> auto& { return c.server.cors_origins; },
          "web origins that may call from a browser; *: all; empty: none"),
      choice(
          "MAAS_LOG_LEVEL", +[](Config& c) -> Level& { return c.log_level; },
          {{"trace", Level::trace},
           {"debug", Level::debug},
           {"info", Level::info},
           {"warn", Level::warn},
           {"error", Level::error},
           {"off", Level::off}},
          "what is logged: this and what is worse"),
      number(
          "MAAS_ACCESS_LOG_SAMPLE", [](Config& c) -> auto& { return c.access_log_sample; }, 0, 1,
          "share of requests that get an access log line; 0: none"),
      choice(
          "MAAS_SQLITE_SYNCHRONOUS",
          +[](Config& c) -> std::string& { return c.sqlite_synchronous; },
          {{"full", "full"}, {"normal", "normal"}},
          "normal: faster, but a power cut may take the last moments"),
      url(free_text(
          "REDIS_URL", [](Config& c) -> auto& { return c.redis.url; },
          "Redis for short-term memory, redis://[user][:password]@host[:port][/database], "
          "rediss:// for TLS; empty: the embedded database")),
      free_text(
          "REDIS_CA_FILE", [](Config& c) -> auto& { return c.redis.ca_file; },
          "PEM file of certificate authorities to trust for rediss:// beside the system's"),
      milliseconds(
          "REDIS_TIMEOUT_MS", [](Config& c) -> auto& { return c.redis.timeout; },
          "time for one Redis command, and for connecting, else 503"),
      secret(free_text(
          "MONGODB_URI", [](Config& c) -> auto& { return c.mongo.uri; },
          "MongoDB server for long-term memory, "
          "mongodb://[user:password@]host[:port][/][?options] or mongodb+srv://…; empty: the "
          "embedded database")),
      free_text(
          "MONGODB_DB_NAME", [](Config& c) -> auto& { return c.mongo.database; },
          "database of long-term memory"),
      free_text(
          "MONGODB_COLLECTION_NAME", [](Config& c) -> auto& { return c.mongo.collection; },
          "collection of the memories; history and owners stand beside it"),
      milliseconds(
          "MONGODB_TIMEOUT_MS", [](Config& c) -> auto& { return c.mongo.timeout; },
          "time for one answer of MongoDB, and for connecting, else 503"),
      integer<std::size_t>(
          "MONGODB_POOL_SIZE", [](Config& c) -> auto& { return c.mongo.pool_size; }, 1, 1'000,
          "connections to MongoDB, as many calls at once"),
      choice(
          "VECTOR_STORE_PROVIDER", +[](Config& c) -> VectorStore& { return c.search_index.store; },
          {{"auto", VectorStore::best},
           {"mongodb", VectorStore::atlas},
           {"azure_documentdb", VectorStore::documentdb},
           {"exact", VectorStore::exact}},
          "how memories in MongoDB are searched; mongodb: by $vectorSearch of Atlas; "
          "azure_documentdb: by cosmosSearch; exact: ranked in this process, on any server, as "
          "where the server has no such search; auto: found out by trying"),
      choice(
          "VECTOR_INDEX_TYPE", +[](Config& c) -> IndexKind& { return c.search_index.kind; },
          {{"hnsw", IndexKind::hnsw}, {"ivf", IndexKind::ivf}, {"diskann", IndexKind::diskann}},
          "vector index of DocumentDB; where the server refuses it, hnsw is made, then ivf"),
      milliseconds(
          "MAAS_VECTOR_INDEX_TIMEOUT_MS",
          [](Config& c) -> auto& { return c.search_index.patience; },
          "time for Atlas to build a search index before /health/ready tells it as a problem"),
      yes_or_no(
          "MAAS_LTM_READ_YOUR_WRITES", +[](Config& c) -> bool& { return c.read_your_writes; },
          "read what was stored in the last seconds beside Atlas' search index, which does not "
          "know it yet"),
      integer<std::size_t>(
          "MAAS_EXACT_SCAN_LIMIT", [](Config& c) -> auto& { return c.exact_scan_limit; }, 1,
          10'000'000,
          "memories in a scope of MongoDB that is ranked whole in this process; larger ones are "
          "searched by the server, else with exact answered with 503"),
      integer<std::size_t>(
          "MAAS_LOCAL_VECTORS_LIMIT", [](Config& c) -> auto& { return c.local_vectors_limit; }, 0,
          10'000'000,
          "memories in a scope of MongoDB whose vectors this process holds and compares though the "
          "server could: small scopes are ranked exactly as by the embedded engine, without a "
          "question for vectors; 0: none"),
      choice(
          "STM_DEFAULT_STRATEGY", +[](Config& c) -> Strategy& { return c.context.strategy; },
          {{"sliding_window", Strategy::sliding_window},
           {"token_threshold", Strategy::token_threshold}},
          "how the context of a session is made that does not set it"),
      integer<std::int64_t>(
          "STM_MAX_MESSAGES", [](Config& c) -> auto& { return c.context.max_messages; }, 1,
          kNoLimit, "messages in a sliding window"),
      integer<std::int64_t>(
          "STM_MAX_TOKENS", [](Config& c) -> auto& { return c.context.max_tokens; }, 1, kNoLimit,
          "tokens in a context past which the oldest are summarized"),
      integer<std::int64_t>(
          "STM_SESSION_TTL_SECONDS", [](Config& c) -> auto& { return c.session_ttl_seconds; }, 0,
          3'153'600'000, "life of a session after its last append or settings change; 0: for ever"),
      free_text(
          "STM_SUMMARIZATION_MODEL", [](Config& c) -> auto& { return c.summarization_model; },
          "model that writes summaries, and whose tokens are counted; empty: LLM_MODEL"),
      integer<std::int64_t>(
          "LTM_DEFAULT_TTL_SECONDS",
          [](Config& c) -> auto& { return c.long_term.default_ttl_seconds; }, 0, 3'153'600'000,
          "life of a memory whose request does not say; 0: for ever"),
      integer<std::size_t>(
          "LTM_MAX_BATCH_SIZE", [](Config& c) -> auto& { return c.long_term_limits.batch_size; }, 1,
          10'000, "items of a batch; more are answered with 400"),
      integer<std::size_t>(
          "LTM_MAX_MEMORIES_PER_REQUEST",
          [](Config& c) -> auto& { return c.long_term_limits.messages; }, 1, 100'000,
          "messages in one add or batch of adds; more are answered with 422"),
      integer<std::size_t>(
          "LTM_MAX_FILTER_CONDITIONS",
          [](Config& c) -> auto& { return c.long_term_limits.filter_conditions; }, 1, 10'000,
          "conditions in one filter; more are answered with 422"),
      integer<std::size_t>(
          "LTM_CACHE_MB", [](Config& c) -> auto& { return c.partition_cache_mb; }, 1, 1'048'576,
          "memory for the scopes searched last, in MiB; others are read from the disk, or from "
          "MongoDB"),
      integer<std::size_t>(
          "LTM_HNSW_THRESHOLD", [](Config& c) -> auto& { return c.hnsw_threshold; }, 1, kNoLimit,
          "memories in a scope past which an index finds the nearest instead of a scan"),
      choice(
          "LTM_RECONCILE", +[](Config& c) -> Reconcile& { return c.long_term.inference.reconcile; },
          {{"full", Reconcile::full}, {"additive", Reconcile::additive}},
          "full: the LLM compares facts with what is remembered; additive: they are only added"),
      integer<std::size_t>(
          "LTM_MAX_FACTS", [](Config& c) -> auto& { return c.long_term.inference.limits.facts; }, 1,
          10'000, "facts that the LLM may find in one prompt, some 6,000 tokens of conversation"),
      number(
          "LTM_DUPLICATE_THRESHOLD",
          [](Config& c) -> auto& { return c.long_term.inference.duplicate_threshold; }, 0, 1,
          "cosine from which an extracted fact is a duplicate, with LTM_RECONCILE=additive"),
      yes_or_no(
          "LTM_KEEP_ON_LLM_FAILURE",
          [](Config& c) -> auto& { return c.long_term.keep_on_llm_failure; },
          "keep messages verbatim, for maas reprocess, when the LLM can't extract memories"),
      free_text(
          "LTM_LANGUAGE", [](Config& c) -> auto& { return c.language; },
          "language of the memories, as english or en; empty: detected for each"),
      free_text(
          "MAAS_LOCAL_MODEL", [](Config& c) -> auto& { return c.local_model; },
          "directory of the embedding model; empty: the one that came with the program, if it is "
          "there; "
          "none: "
          "search by words alone"),
      integer<std::size_t>(
          "EMBEDDING_THREADS", [](Config& c) -> auto& { return c.embedding_threads; }, 1, 64,
          "threads of the embedding model in this process; default: the cores, at most 4"),
      integer<std::size_t>(
          "EMBEDDING_CACHE_MB", [](Config& c) -> auto& { return c.embedding_cache_mb; }, 0, 65'536,
          "memory for embeddings, in MiB; 0: none are kept"),
      choice(
          "EMBEDDING_PROVIDER", +[](Config& c) -> std::string& { return c.embedding.provider; },
          same({"local", "fastembed", "none", "openai", "azure_openai", "cohere", "huggingface",
                "ollama"}),
          "what embeds; local: the model of MAAS_LOCAL_MODEL; fastembed: that of "
          "EMBEDDING_MODEL_PATH; none: search by words alone"),
      free_text(
          "EMBEDDING_MODEL_PATH", [](Config& c) -> auto& { return c.model_path; },
          "directory of the model of fastembed: model.onnx or model_optimized.onnx, "
          "tokenizer.json (WordPiece), config.json"),
      free_text(
          "EMBEDDING_MODEL", [](Config& c) -> auto& { return c.embedding.model; },
          "model of the embedding provider; with fastembed its name, else the directory's"),
      integer<std::size_t>(
          "EMBEDDING_DIMS", [](Config& c) -> auto& { return c.embedding.dims; }, 1, 65'536,
          "numbers in a vector; with fastembed checked if it is given"),
      secret(free_text(
          "EMBEDDING_API_KEY", [](Config& c) -> auto& { return c.embedding.key; },
          "key of the embedding provider; empty: LLM_API_KEY if both are one provider")),
      url(free_text(
          "EMBEDDING_BASE_URL", [](Config& c) -> auto& { return c.embedding.base_url; },
          "where the embedding provider is; empty: its own address. With huggingface: a Text "
          "Embeddings Inference server")),
      free_text(
          "EMBEDDING_API_VERSION", [](Config& c) -> auto& { return c.embedding.api_version; },
          "api-version of azure_openai"),
      milliseconds(
          "EMBEDDING_TIMEOUT_MS", [](Config& c) -> auto& { return c.embedding_client.timeout; },
          "time for embedding over HTTP, tries again included, else 504"),
      integer<unsigned>(
          "EMBEDDING_MAX_RETRIES",
          [](Config& c) -> auto& { return c.embedding_client.max_retries; }, 0, 100,
          "how often a failed request for embeddings is tried again"),
      integer<std::size_t>(
          "EMBEDDING_MAX_CONCURRENCY",
          [](Config& c) -> auto& { return c.embedding_client.max_concurrency; }, 1, 10'000,
          "requests for embeddings at once; texts that come meanwhile share the next"),
      choice(
          "LLM_PROVIDER", +[](Config& c) -> std::string& { return c.chat.provider; },
          chat_providers(),
          "what extracts memories and writes summaries; empty: openai if LLM_API_KEY or "
          "LLM_BASE_URL is set, else none"),
      free_text(
          "LLM_MODEL", [](Config& c) -> auto& { return c.chat.model; },
          "model of the LLM provider; its encoding counts the tokens"),
      secret(free_text(
          "LLM_API_KEY", [](Config& c) -> auto& { return c.chat.key; }, "key of the LLM provider")),
      url(free_text(
          "LLM_BASE_URL", [](Config& c) -> auto& { return c.chat.base_url; },
          "where the LLM provider, or another server of its protocol, is; empty: its own address")),
      url(free_text(
          "AZURE_ENDPOINT", [](Config& c) -> auto& { return c.chat.azure_endpoint; },
          "where azure_openai is, https://NAME.openai.azure.com")),
      free_text(
          "LLM_API_VERSION", [](Config& c) -> auto& { return c.chat.api_version; },
          "api-version of azure_openai"),
      number(
          "LLM_TEMPERATURE", [](Config& c) -> auto& { return c.chat.temperature; }, 0, 2,
          "temperature of the model"),
      integer<std::int64_t>(
          "LLM_MAX_TOKENS", [](Config& c) -> auto& { return c.chat.max_tokens; }, 16, 1'000'000,
          "tokens in an answer of the model"),
      integer<std::int64_t>(
          "LLM_CONTEXT_TOKENS", [](Config& c) -> auto& { return c.context_tokens; }, 2'000,
          100'000'000, "tokens that the model takes, its answer included; more go in parts"),
      milliseconds(
          "LLM_TIMEOUT_MS", [](Config& c) -> auto& { return c.chat_client.timeout; },
          "time for a call of the model, tries again included, else 504"),
      integer<unsigned>(
          "LLM_MAX_RETRIES", [](Config& c) -> auto& { return c.chat_client.max_retries; }, 0, 100,
          "how often a failed call of the model is tried again"),
      integer<std::size_t>(
          "LLM_MAX_CONCURRENCY", [](Config& c) -> auto& { return c.chat_client.max_concurrency; },
          1, 10'000, "calls of the model at once; eight times as many wait, more are answered 503"),
      free_text(
          "MAAS_CA_FILE", [](Config& c) -> auto& { return c.ca_file; },
          "PEM file of certificate authorities to trust for models beside the system's"),
  };
}

std::vector<Setting> make_settings() {
  std::vector<Setting> all = own_settings();
  std::ranges::move(telemetry_settings(), std::back_inserter(all));
  return all;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

}  // namespace maas
