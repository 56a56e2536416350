#include "service.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/timer.hpp"
#include "ltm/memory_store_mongo.hpp"
#include "ltm/memory_store_sqlite.hpp"
#include "ltm/observed_memory_store.hpp"
#include "stm/observed_message_store.hpp"
#include "text/language.hpp"
#include "trace/metrics.hpp"
#include "trace/resource.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace maas {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kSweepInterval{10};
constexpr std::chrono::milliseconds kLogFlushInterval{500};
constexpr std::size_t kDescriptorsBesideConnections = 64;
constexpr std::size_t kMebibyte = 1u << 20;

// What blocks runs here: more threads than cores, because most of them wait for a disk.
std::size_t pool_threads() { return std::max(2u, std::thread::hardware_concurrency()); }

// Each connection is a file descriptor; many systems begin with 1,024.
void allow_descriptors(std::size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = connections + kDescriptorsBesideConnections;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur < wanted) {
    log::warn("fewer files may be open than MAAS_MAX_CONNECTIONS needs; raise 'ulimit -n'",
              {{"allowed", limit.rlim_cur}, {"wanted", wanted}});
  }
}

std::unique_ptr<ltm::MemoryStore> make_memories(const Config& config, sqlite::Database& database,
                                                boost::asio::thread_pool& pool,
                                                const llm::Embedder* embedder) {
  ltm::PartitionOptions partition;
  partition.hnsw_threshold = config.hnsw_threshold;
  std::string model;
  if (embedder) {
    partition.dims = embedder->dims();
    model = embedder->model();
  }
  if (const auto language = text::language_named(config.language)) partition.language = *language;
  const std::size_t max_bytes = config.partition_cache_mb * kMebibyte;
  if (!config.mongo.uri.empty()) {
    ltm::MongoMemoryStoreOptions options{.server = config.mongo, .model = std::move(model)};
    options.search = {.index = config.search_index,
                      .scan_limit = config.exact_scan_limit,
                      .local_vectors = config.local_vectors_limit,
                      .read_your_writes = config.read_your_writes};
    options.search.index.language = partition.language;
    options.search.cache.max_bytes = max_bytes;
    options.search.cache.partition = std::move(partition);
    return ltm::make_mongo_memory_store(std::move(options));
  }
  ltm::SqliteMemoryStoreOptions options;
  options.cache.max_bytes = max_bytes;
  options.cache.partition = std::move(partition);
  options.model = std::move(model);
  return ltm::observe(ltm::make_sqlite_memory_store(database, pool, std::move(options)));
}

// Deletes what has expired, in small parts so that requests are not held up.
template <class Store>
Task<> sweep(Store& store, std::string_view what) {
  try {
    while (co_await store.sweep()) {
    }
  } catch (const Error& error) {
    log::warn("what has expired could not be deleted; trying again later",
              {{"what", what}, {"error", error.what()}, {"detail", error.detail()}});
  }
}

Task<std::optional<std::string>> no_problem() { co_return std::nullopt; }

// That a request may wait for. The rest is for storing what the model failed to make something of.
std::chrono::milliseconds time_for_models(const Config& config) {
  return config.server.request_timeout * 3 / 4;
}

std::unique_ptr<stm::Summarizer> make_summarizer(const Config& config, Engines& engines) {
  const text::Encoding encoding = text::encoding_of_model(config.summarizing_model());
  if (llm::ChatClient* model = engines.models().summarizing()) {
    stm::LlmSummarizerOptions options;
    options.encoding = encoding;
    options.context_tokens = config.context_tokens;
    options.time = time_for_models(config);
    return stm::make_llm_summarizer(*model, options, engines.pool());
  }
  return stm::make_extractive_summarizer(encoding, engines.pool());
}

http::Router make_router(Engines& engines, stm::ShortTermMemory& short_term_memory,
                         ltm::LongTermMemory& long_term_memory, const Config& config) {
  http::Router router;
  api::add_health_routes(router, engines.checks());
  api::add_docs_routes(router);
  api::add_metrics_routes(router, trace::process_resource(config.trace.resource));
  api::add_stm_routes(router, short_term_memory);
  api::LtmLimits limits = config.long_term_limits;
  limits.can_infer = long_term_memory.can_infer();
  api::add_ltm_routes(router, long_term_memory, limits);
  return router;
}

}  // namespace

ltm::LongTermMemoryOptions long_term_options(const Config& config, Engines& engines) {
  ltm::LongTermMemoryOptions options = config.long_term;
  ltm::InferenceOptions& inference = options.inference;
  inference.limits.encoding = text::encoding_of_model(config.chat.model);
  inference.limits.prompt_tokens =
      std::min(inference.limits.prompt_tokens, config.context_tokens / 2);
  inference.time = time_for_models(config);
  inference.pool = &engines.pool();
  return options;
}

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  // A shell starts background jobs with SIGINT ignored; here it always means to stop.
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void StopSignals::wait() {
  int signal = 0;
  sigwait(&signals_, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
}

DataDirectoryLock::DataDirectoryLock(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const std::string path = (directory / "lock").string();
  if (!error) file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) {
    throw Error(Errc::unavailable,
                "the data directory " + directory.string() +
                    " can't be written: " + (error ? error.message() : std::strerror(errno)) +
                    "; choose another with --data-dir or MAAS_DATA_DIR");
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(file_);
    throw Error(Errc::unavailable,
                "the data directory " + directory.string() +
                    " is in use by another MaaS; end that one, or choose another "
                    "directory with --data-dir or MAAS_DATA_DIR");
  }
}

DataDirectoryLock::~DataDirectoryLock() { ::close(file_); }

Engines::Engines(const Config& config) : loops_(config.workers), pool_(pool_threads()) {
  const std::string_view migrations[] = {stm::kSqliteSchema, ltm::kSqliteSchema};
  database_ = std::make_unique<sqlite::Database>(
      sqlite::Options{config.database_file(), config.sqlite_synchronous}, migrations, pool_);
  if (config.redis.url.empty()) {
    messages_ = stm::observe(stm::make_sqlite_message_store(*database_, config.session_ttl()));
  } else {
    messages_ = stm::make_redis_message_store(config.redis, loops_, config.session_ttl());
  }
  models_ = std::make_unique<Models>(config, loops_);
  memories_ = make_memories(config, *database_, pool_, models_->embedder());
}

Engines::~Engines() {
  loops_.abort();
  pool_.join();
}

std::vector<api::Check> Engines::checks() {
  std::vector<api::Check> checks;
  checks.push_back({.name = "stm", .engine = std::string(messages_->engine()), .problem = [this] {
                      return messages_->problem();
                    }});
  checks.push_back({.name = "ltm", .engine = std::string(memories_->engine()), .problem = [this] {
                      return memories_->problem();
                    }});
  checks.back().note = [this] { return memories_->note(); };
  checks.push_back({.name = "embedder",
                    .engine = std::string(models_->embedder_name()),
                    .problem = [embedder = models_->embedder()] {
                      return embedder ? embedder->problem() : no_problem();
                    }});
  if (!models_->embedder()) checks.back().note = [] { return std::string(kWordsAlone); };
  checks.push_back(
      {.name = "llm", .engine = std::string(models_->chat_name()), .problem = no_problem});
  if (!models_->chat()) checks.back().note = [] { return std::string(kNoLlm); };
  return checks;
}

std::vector<trace::Reading> Engines::readings() const {
  std::vector<trace::Reading> readings = models_->readings();
  readings.emplace_back(trace::metrics().queue_depth, trace::Labels{"sqlite_writes"},
                        [this] { return static_cast<double>(database_->queued()); });
  return readings;
}

Service::Service(const Config& config)
    : lock_(config.data_dir),
      tracer_(trace::make_tracer(config.trace)),
      engines_(config),
      readings_(engines_.readings()),
      summarizer_(make_summarizer(config, engines_)),
      short_term_memory_(engines_.messages(), *summarizer_, config.context,
                         text::encoding_of_model(config.summarizing_model()), engines_.pool()),
      long_term_memory_(engines_.memories(), engines_.models().embedder(), engines_.models().chat(),
                        long_term_options(config, engines_)),
      keys_(api::ApiKeys::parse(config.api_keys)),
      router_(make_router(engines_, short_term_memory_, long_term_memory_, config)),
      server_(config.server, engines_.loops(), engines_.pool(),
              api::make_handler(router_, keys_, tracer_.get()),
              api::make_observer(tracer_.get(), config.access_log_sample)),
      metrics_exporter_(
          trace::make_metrics_exporter(config.metrics, trace::metrics(), config.trace.resource)) {
  allow_descriptors(config.server.max_connections);
  if (!tracer_) return;
  trace::Metrics& metrics = trace::metrics();
  const auto watch = [this](trace::Number& number, std::string_view label,
                            std::uint64_t trace::RecorderCounts::*count) {
    readings_.emplace_back(number, trace::Labels{label},
                           [this, count] { return static_cast<double>(tracer_->counts().*count); });
  };
  watch(metrics.spans, "exported", &trace::RecorderCounts::exported);
  watch(metrics.spans, "dropped", &trace::RecorderCounts::dropped);
  watch(metrics.queue_depth, "spans", &trace::RecorderCounts::waiting);
}

void Service::run() {
  std::signal(SIGPIPE, SIG_IGN);
  asio::co_spawn(engines_.loops()[0], sweep_regularly(), asio::detached);
  asio::co_spawn(engines_.loops()[0], flush_log_regularly(), asio::detached);
  server_.start();
  engines_.loops().start();
  stop_signals_.wait();
  log::info("stopping: requests in flight finish; a second signal ends the process at once");
  server_.stop();
}

Task<> Service::sweep_regularly() {
  while (true) {
    co_await pause(kSweepInterval);
    co_await sweep(engines_.messages(), "sessions");
    co_await sweep(engines_.memories(), "memories");
  }
}

// Access log lines wait in a buffer; someone may be watching.
Task<> Service::flush_log_regularly() {
  while (true) {
    co_await pause(kLogFlushInterval);
    log::flush();
  }
}

}  // namespace maas
