#pragma once

#include "api/api_keys.hpp"
#include "api/routes.hpp"
#include "config.hpp"
#include "core/event_loops.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "ltm/long_term_memory.hpp"
#include "ltm/memory_store.hpp"
#include "models.hpp"
#include "sqlite/database.hpp"
#include "stm/message_store.hpp"
#include "stm/short_term_memory.hpp"
#include "stm/summarizer.hpp"
#include "trace/metrics_exporter.hpp"
#include "trace/tracer.hpp"

#include <boost/asio/thread_pool.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace maas {

// SIGTERM and SIGINT, kept from all threads that start later and waited for in one place. They are
// as they were before once the first has come, so that a second one ends the process.
class StopSignals {
 public:
  StopSignals();
  void wait();

 private:
  sigset_t signals_;
};

// Keeps a second process away from a data directory, for as long as it lives. The lock goes with
// the process, however that ends.
class DataDirectoryLock {
 public:
  // Creates the directory. Throws Error{unavailable} when it is in use or can't be written.
  explicit DataDirectoryLock(const std::filesystem::path& directory);
  ~DataDirectoryLock();
  DataDirectoryLock(const DataDirectoryLock&) = delete;

 private:
  int file_ = -1;
};

// The engines that a configuration names, running, without a server on top.
class Engines {
 public:
  // The data directory exists. Throws Error when an engine can't be set up. A Redis or MongoDB
  // that can't be reached is no such error: it is connected to when it comes.
  explicit Engines(const Config& config);
  ~Engines();

  EventLoops& loops() { return loops_; }
  boost::asio::thread_pool& pool() { return pool_; }
  stm::MessageStore& messages() { return *messages_; }
  ltm::MemoryStore& memories() { return *memories_; }
  Models& models() { return *models_; }
  std::vector<api::Check> checks();
  // What waits, for metrics. To be destroyed before this.
  std::vector<trace::Reading> readings() const;

 private:
  // In the order of dependence: what is used is destroyed after its users.
  EventLoops loops_;
  boost::asio::thread_pool pool_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<Models> models_;
  std::unique_ptr<stm::MessageStore> messages_;
  std::unique_ptr<ltm::MemoryStore> memories_;
};

// Long-term memory's part of a configuration, with what follows from other parts of it.
ltm::LongTermMemoryOptions long_term_options(const Config& config, Engines& engines);

// The composition root: owns every object of a server.
class Service {
 public:
  // Throws Error when it can't be set up, such as for a port in use.
  explicit Service(const Config& config);

  std::uint16_t port() const { return server_.port(); }
  std::string_view embedder() { return engines_.models().embedder_name(); }  // "local", "none"

  // Serves until SIGTERM or SIGINT, then stops gracefully. A second signal ends the process.
  void run();

 private:
  Task<> sweep_regularly();
  Task<> flush_log_regularly();

  StopSignals stop_signals_;
  DataDirectoryLock lock_;
  std::unique_ptr<trace::Tracer> tracer_;  // null: nothing is traced
  Engines engines_;
  std::vector<trace::Reading> readings_;
  std::unique_ptr<stm::Summarizer> summarizer_;
  stm::ShortTermMemory short_term_memory_;
  ltm::LongTermMemory long_term_memory_;
  api::ApiKeys keys_;
  http::Router router_;
  http::Server server_;
  std::unique_ptr<trace::MetricsExporter> metrics_exporter_;  // null: they are not sent
};

}  // namespace maas
