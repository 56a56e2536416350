#pragma once

#include "api/ltm_fields.hpp"
#include "core/log.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "llm/chat_client_openai.hpp"
#include "llm/remote_embedder.hpp"
#include "ltm/long_term_memory.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_search_index.hpp"
#include "stm/message_store.hpp"
#include "stm/session.hpp"
#include "trace/metrics_exporter.hpp"
#include "trace/tracer.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas {

// Everything that can be set, with its default. settings_table.cpp has the table of names and
// ranges.
struct Config {
  http::ServerOptions server;
  std::size_t workers;  // event loops; the default is the cores, at most 4
  std::string data_dir = "data";
  std::string sqlite_synchronous = "full";

  std::string api_keys;       // "tenant:key,…"
  std::string api_keys_file;  // the same, one per line
  bool allow_anonymous = false;

  log::Level log_level = log::Level::info;
  double access_log_sample = 1;

  trace::TracerOptions trace;
  trace::MetricsOptions metrics;
  std::string traces_endpoint;                               // of OTLP, as it is; else:
  std::string metrics_endpoint;                              // the same
  std::string otlp_endpoint;                                 // of all signals
  std::string service_name;                                  // in traces and metrics
  std::chrono::milliseconds telemetry_stop_timeout{10'000};  // for both, when the process ends

  stm::RedisConfig redis;  // an empty URL: the embedded engine
  stm::ContextSettings context;
  std::int64_t session_ttl_seconds = 86'400;  // 0: for ever

  ltm::MongoOptions mongo;  // an empty URI: the embedded engine
  ltm::SearchIndexOptions search_index;
  bool read_your_writes = true;
  std::size_t exact_scan_limit = 20'000;
  std::size_t local_vectors_limit = 200;
  ltm::LongTermMemoryOptions long_term;
  api::LtmLimits long_term_limits;
  std::size_t partition_cache_mb = 256;
  std::size_t hnsw_threshold = 20'000;
  std::string language;        // of memories; empty: detected
  std::string local_model;     // a directory; empty: the one that came with the program; "none"
  std::string model_path;      // of fastembed
  std::string model_name;      // of the model there; empty: the directory's
  std::size_t model_dims = 0;  // that it has to have; 0: any
  std::size_t embedding_threads;
  std::size_t embedding_cache_mb = 32;
  llm::RemoteEmbedderOptions embedding;  // its provider may also be local, fastembed, none
  http::ClientOptions embedding_client;

  llm::ChatOptions chat;  // its provider may also be none
  http::ClientOptions chat_client;
  std::int64_t context_tokens = 32'000;  // that the model takes
  std::string summarization_model;       // empty: the LLM's
  std::string ca_file;                   // of authorities that models' providers use

  Config();

  bool embeds_over_http() const;  // not in this process
  bool has_llm() const { return chat.provider != "none"; }
  const std::string& summarizing_model() const {
    return summarization_model.empty() ? chat.model : summarization_model;
  }
  stm::TimeToLive session_ttl() const {
    if (session_ttl_seconds == 0) return std::nullopt;
    return std::chrono::seconds(session_ttl_seconds);
  }
  std::filesystem::path database_file() const;
};

// NAME=value pairs, in the order in which later ones win.
using Environment = std::vector<std::pair<std::string, std::string>>;

// A configuration and what is odd about where it came from, in sentences.
struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;
};

// Reads every known name; an empty value means the default. Throws Error{invalid_argument} whose
// text names every wrong value at once, each on a line of its own.
LoadedConfig load_config(const Environment& environment);

// The variables of this process.
Environment process_environment();

// The lines NAME=value of a file; quotes and `export` as in a shell, # begins a comment. Throws
// Error{invalid_argument} that names the file, and the line if one is malformed.
Environment read_env_file(const std::filesystem::path& file);

}  // namespace maas
