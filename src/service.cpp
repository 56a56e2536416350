#include "service.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/timer.hpp"

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

std::unique_ptr<DataDirectoryLock> lock_for(const Config& config) {
  if (!config.redis.url.empty()) return nullptr;
  return std::make_unique<DataDirectoryLock>(config.data_dir);
}

http::Router make_router(Engines& engines, stm::ShortTermMemory& short_term_memory) {
  http::Router router;
  api::add_health_routes(router, engines.checks());
  api::add_docs_routes(router);
  api::add_stm_routes(router, short_term_memory);
  return router;
}

}  // namespace

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
  if (config.redis.url.empty()) {
    const std::string_view migrations[] = {stm::kSqliteSchema};
    database_ = std::make_unique<sqlite::Database>(
        sqlite::Options{config.database_file(), config.sqlite_synchronous}, migrations, pool_);
    messages_ = stm::make_sqlite_message_store(*database_, config.session_ttl());
  } else {
    messages_ = stm::make_redis_message_store(config.redis, loops_, config.session_ttl());
  }
}

Engines::~Engines() {
  loops_.abort();
  pool_.join();
}

std::vector<api::Check> Engines::checks() {
  return {{.name = "stm", .engine = std::string(messages_->engine()), .problem = [this] {
             return messages_->problem();
           }}};
}

Service::Service(const Config& config)
    : lock_(lock_for(config)),
      engines_(config),
      summarizer_(stm::make_extractive_summarizer(
          text::encoding_of_model(config.tokenizing_model()), engines_.pool())),
      short_term_memory_(engines_.messages(), *summarizer_, config.context,
                         text::encoding_of_model(config.tokenizing_model()), engines_.pool()),
      keys_(api::ApiKeys::parse(config.api_keys)),
      router_(make_router(engines_, short_term_memory_)),
      server_(config.server, engines_.loops(), engines_.pool(), api::make_handler(router_, keys_),
              api::make_access_log(config.access_log_sample)) {
  allow_descriptors(config.server.max_connections);
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

// Deletes what has expired, in small parts so that requests are not held up.
Task<> Service::sweep_regularly() {
  while (true) {
    co_await pause(kSweepInterval);
    try {
      while (co_await engines_.messages().sweep()) {
      }
    } catch (const Error& error) {
      log::warn("expired sessions could not be deleted; trying again later",
                {{"error", error.what()}, {"detail", error.detail()}});
    }
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
