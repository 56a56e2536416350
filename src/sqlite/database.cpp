#include "sqlite/database.hpp"

#include "core/error.hpp"
#include "core/log.hpp"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace maas::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;
constexpr std::size_t kMaxGroup = 1024;  // writes in one transaction; bounds its latency
constexpr std::size_t kMaxIdleReaders = 8;

// What SQLite says, as an error of ours. Anything of our own passes unchanged.
std::exception_ptr translated(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    const bool full = code == SQLITE_FULL;
    return std::make_exception_ptr(
        Error(code == SQLITE_CONSTRAINT || code == SQLITE_MISUSE || code == SQLITE_RANGE
                  ? Errc::internal
                  : Errc::unavailable,
              full ? "The disk of the data directory is full; nothing was stored"
                   : "The embedded database could not be read or written",
              error.what()));
  } catch (...) {
    return failure;
  }
}

}  // namespace

struct Connection::State {
  SQLite::Database database;
  std::unordered_map<std::string_view, SQLite::Statement> statements;
};

Connection::Connection(const std::filesystem::path& file, Access access,
                       std::string_view synchronous)
    : state_(new State{SQLite::Database(file.string(),
                                        access == Access::read_only
                                            ? SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX
                                            : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE |
                                                  SQLite::OPEN_NOMUTEX,
                                        kBusyTimeoutMs),
                       {}}) {
  if (access == Access::read_write) {
    execute("PRAGMA journal_mode=WAL");
    execute("PRAGMA synchronous=" + std::string(synchronous));
    // Pages that many sessions' appends touch stay in memory and reach the file once, not each
    // time.
    execute("PRAGMA cache_size=-16384");        // KiB
    execute("PRAGMA wal_autocheckpoint=4000");  // pages
  }
  execute("PRAGMA foreign_keys=ON");
}

Connection::~Connection() = default;

SQLite::Statement& Connection::statement(std::string_view sql) {
  auto found = state_->statements.find(sql);
  if (found == state_->statements.end()) {
    found = state_->statements.try_emplace(sql, state_->database, std::string(sql)).first;
  } else {
    found->second.reset();
    found->second.clearBindings();
  }
  return found->second;
}

void Connection::reset_statements() {
  for (auto& [sql, statement] : state_->statements) statement.tryReset();
}

void Connection::execute(const std::string& sql) { state_->database.exec(sql); }

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(state_->database.getHandle()) == 0;
}

// The writer thread and its queue.
struct Database::Writer {
  Writer(const Options& options, std::span<const std::string_view> migrations)
      : connection(options.file, Connection::Access::read_write, options.synchronous) {
    migrate(connection, migrations);
    thread = std::thread([this] { run(); });
  }

  ~Writer() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_one();
    thread.join();
  }

  void run() {
    std::vector<std::unique_ptr<Write>> group;
    while (true) {
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || !queue.empty(); });
        if (queue.empty()) return;
        while (!queue.empty() && group.size() < kMaxGroup) {
          group.push_back(std::move(queue.front()));
          queue.pop_front();
        }
      }
      commit(group);
      for (auto& write : group) write->complete();
      group.clear();
    }
  }

  // One transaction for all; a savepoint each, so that one that fails harms no other.
  void commit(std::vector<std::unique_ptr<Write>>& group) {
    try {
      connection.statement("BEGIN IMMEDIATE").exec();
      for (auto& write : group) attempt(*write);
      connection.reset_statements();
      connection.statement("COMMIT").exec();
    } catch (...) {
      const std::exception_ptr error = translated(std::current_exception());
      connection.reset_statements();
      if (connection.in_transaction()) roll_back();
      for (auto& write : group) write->fail(error);
    }
  }

  // Throws only if the whole transaction is lost.
  void attempt(Write& write) {
    connection.statement("SAVEPOINT one").exec();
    try {
      write.run(connection);
    } catch (...) {
      // SQLite itself rolls everything back on some failures, such as a full disk.
      if (!connection.in_transaction()) throw;
      connection.statement("ROLLBACK TO one").exec();
      write.fail(translated(std::current_exception()));
    }
    connection.statement("RELEASE one").exec();
  }

  void roll_back() {
    try {
      connection.statement("ROLLBACK").exec();
    } catch (const SQLite::Exception& error) {
      log::error("a transaction could not be rolled back", {{"error", error.what()}});
    }
  }

  Connection connection;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::unique_ptr<Write>> queue;
  bool stopping = false;
  std::thread thread;
};

Database::Database(const Options& options, std::span<const std::string_view> migrations,
                   boost::asio::thread_pool& pool)
    : options_(options), pool_(pool) {
  try {
    writer_ = std::make_unique<Writer>(options, migrations);
  } catch (const SQLite::Exception& error) {
    throw Error(Errc::unavailable,
                "cannot open the database " + options.file.string() + ": " + error.what());
  }
}

Database::~Database() = default;

void Database::rethrow_translated() {
  std::rethrow_exception(translated(std::current_exception()));
}

void Database::enqueue(std::unique_ptr<Write> write) {
  bool was_empty = false;
  {
    const std::lock_guard lock(writer_->mutex);
    was_empty = writer_->queue.empty();
    writer_->queue.push_back(std::move(write));
  }
  if (was_empty) writer_->wake.notify_one();
}

std::size_t Database::queued() const {
  const std::lock_guard lock(writer_->mutex);
  return writer_->queue.size();
}

void Database::migrate(Connection& connection, std::span<const std::string_view> migrations) {
  connection.execute("BEGIN IMMEDIATE");
  SQLite::Statement& version = connection.statement("PRAGMA user_version");
  version.executeStep();
  const auto current = static_cast<std::size_t>(version.getColumn(0).getInt());
  version.reset();
  if (current > migrations.size()) {
    throw Error(Errc::unavailable, "the database was written by a newer version of MaaS (schema " +
                                       std::to_string(current) + ", this version knows " +
                                       std::to_string(migrations.size()) +
                                       "); run that version or restore a backup");
  }
  for (std::size_t i = current; i < migrations.size(); ++i) {
    connection.execute(std::string(migrations[i]));
  }
  connection.execute("PRAGMA user_version=" + std::to_string(migrations.size()));
  connection.execute("COMMIT");
}

Database::Reader::Reader(Database& database) : database_(database) {
  {
    const std::lock_guard lock(database.readers_mutex_);
    if (!database.readers_.empty()) {
      connection_ = std::move(database.readers_.back());
      database.readers_.pop_back();
    }
  }
  try {
    if (!connection_) {
      connection_ = std::make_unique<Connection>(
          database.options_.file, Connection::Access::read_only, database.options_.synchronous);
    }
    connection_->statement("BEGIN").exec();
  } catch (...) {
    std::rethrow_exception(translated(std::current_exception()));
  }
}

Database::Reader::~Reader() {
  try {
    connection_->reset_statements();
    connection_->statement("COMMIT").exec();
  } catch (const SQLite::Exception& error) {
    log::error("a read transaction could not be ended", {{"error", error.what()}});
    return;  // and this connection with it
  }
  const std::lock_guard lock(database_.readers_mutex_);
  if (database_.readers_.size() < kMaxIdleReaders) {
    database_.readers_.push_back(std::move(connection_));
  }
}

void backup(const std::filesystem::path& from, const std::filesystem::path& to,
            const std::function<void(int, int)>& progress) {
  constexpr int kPagesAtOnce = 256;
  try {
    SQLite::Database source(from.string(), SQLite::OPEN_READONLY, kBusyTimeoutMs);
    SQLite::Database copy(to.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                          kBusyTimeoutMs);
    SQLite::Backup backup(copy, source);
    while (backup.executeStep(kPagesAtOnce) != SQLITE_DONE) {
      progress(backup.getTotalPageCount() - backup.getRemainingPageCount(),
               backup.getTotalPageCount());
    }
    progress(backup.getTotalPageCount(), backup.getTotalPageCount());
  } catch (const SQLite::Exception& error) {
    throw Error(Errc::unavailable,
                "cannot copy " + from.string() + " to " + to.string() + ": " + error.what());
  }
}

}  // namespace maas::sqlite
