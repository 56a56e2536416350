// sqlite: the embedded database that both memories share. Knows files, threads and transactions,
// nothing of messages or memories.
#pragma once

#include "core/offload.hpp"
#include "core/task.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace SQLite {
class Statement;
}

namespace maas::sqlite {

// One connection with its prepared statements. Used by one thread at a time.
class Connection {
 public:
  enum class Access { read_only, read_write };
  Connection(const std::filesystem::path& file, Access access, std::string_view synchronous);
  ~Connection();

  // The statement of `sql`, compiled once, reset and with nothing bound. The text is kept by
  // reference: a literal.
  SQLite::Statement& statement(std::string_view sql);

  // Ends what the statements still hold; before a transaction ends.
  void reset_statements();

  void execute(const std::string& sql);
  bool in_transaction() const;

 private:
  friend class Database;
  struct State;
  std::unique_ptr<State> state_;
};

struct Options {
  std::filesystem::path file;  // its directory must exist
  std::string synchronous =
      "full";  // "normal" trades the last moments before a power cut for speed
};

// One file in WAL mode: a writer thread that commits what has queued up in one transaction (group
// commit), and readers that never wait for it. Thread-safe.
// Functions throw Error{unavailable} when the file can't be read or written; a write has then
// changed nothing.
class Database {
  struct Unannounced {
    void operator()() const noexcept {}
  };

 public:
  // Opens or creates the file and brings its schema up to date: `migrations[i]` leads from version
  // i to i + 1. Refuses a file of a newer schema. Reads run on `pool`, which outlives the database.
  Database(const Options& options, std::span<const std::string_view> migrations,
           boost::asio::thread_pool& pool);
  // Finishes the writes that are queued.
  ~Database();

  // Runs `change` in a savepoint on the writer thread; resumes when its transaction is durable.
  // Throws what `change` throws, having undone what it did.
  // `committed` is called on the writer thread once that is durable, before the coroutine resumes:
  // writes are announced in the order in which they happened. Not called for a write that failed.
  template <class F, class Committed = Unannounced>
  Task<std::invoke_result_t<F&, Connection&>> write(F change, Committed committed = {}) {
    static_assert(std::is_nothrow_invocable_v<Committed&>, "it is too late to fail");
    using T = std::invoke_result_t<F&, Connection&>;
    auto start = [this, &change, &committed](auto complete) {
      enqueue(std::make_unique<WriteOf<T, F, Committed, decltype(complete)>>(change, committed,
                                                                             std::move(complete)));
    };
    co_return co_await await_elsewhere<T>(std::move(start));
  }

  // Runs `query` in a read transaction on the pool.
  template <class F>
  Task<std::invoke_result_t<F&, Connection&>> read(F query) {
    co_return co_await offload(pool_, [this, &query] { return read_here(query); });
  }

  // The same on this thread: for reads so small that a change of threads would cost more.
  template <class F>
  std::invoke_result_t<F&, Connection&> read_here(F&& query) {
    const Reader reader(*this);
    try {
      return query(reader.connection());
    } catch (...) {
      rethrow_translated();
    }
  }

  // Writes that wait for the writer.
  std::size_t queued() const;

 private:
  class Write {
   public:
    virtual ~Write() = default;
    virtual void run(Connection& connection) = 0;  // throws what the change throws
    virtual void fail(std::exception_ptr error) = 0;
    virtual void complete() = 0;
  };

  // `change` and `committed` live in the coroutine that awaits the write.
  template <class T, class F, class Committed, class Complete>
  class WriteOf final : public Write {
   public:
    WriteOf(F& change, Committed& committed, Complete complete)
        : change_(change), committed_(committed), complete_(std::move(complete)) {}
    void run(Connection& connection) override { outcome_.value.emplace(change_(connection)); }
    void fail(std::exception_ptr error) override { outcome_.error = error; }
    void complete() override {
      if (!outcome_.error) committed_();
      complete_(std::move(outcome_));
    }

   private:
    F& change_;
    Committed& committed_;
    Complete complete_;
    Outcome<T> outcome_;
  };

  // Borrows a connection of the pool for a read transaction.
  class Reader {
   public:
    explicit Reader(Database& database);
    ~Reader();
    Connection& connection() const { return *connection_; }

   private:
    Database& database_;
    std::unique_ptr<Connection> connection_;
  };

  struct Writer;

  // Rethrows the current exception; what SQLite threw becomes an Error.
  [[noreturn]] static void rethrow_translated();

  void enqueue(std::unique_ptr<Write> write);
  static void migrate(Connection& connection, std::span<const std::string_view> migrations);

  Options options_;
  boost::asio::thread_pool& pool_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> readers_;  // those not in use
  std::unique_ptr<Writer> writer_;
};

// Copies a database that may be in use, consistently, to a new file. Calls `progress` with the
// pages copied and all pages. Throws Error{unavailable}.
void backup(const std::filesystem::path& from, const std::filesystem::path& to,
            const std::function<void(int copied, int pages)>& progress);

}  // namespace maas::sqlite
