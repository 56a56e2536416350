#include "ltm/mongo_client.hpp"

#include "core/log.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/mongo_leased_changes.hpp"
#include "ltm/mongo_pause.hpp"
#include "ltm/mongo_schema.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iterator>
#include <mongoc/mongoc.h>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::string_view kInOrder =
    "changes are made one by one for each owner, so that one that is interrupted can be settled";
// Between attempts to connect: soon at first, later without a load on a server that refuses.
constexpr milliseconds kReconnectPause{100};
constexpr milliseconds kLongReconnectPause{1'000};
constexpr int kSoonAttempts = 20;
// How long the start waits for a name server. Asking it can't be interrupted.
constexpr milliseconds kLookup{3'000};
// How long a transaction is made anew because others were faster.
constexpr milliseconds kConflicts{5'000};
// A connection that broke at once was an old one; what took longer is not tried again.
constexpr milliseconds kQuickly{200};
// Between looks for changes that were left on a server without transactions.
constexpr milliseconds kLeftPause{10'000};
// Codes by which servers refuse to end a transaction that they let begin.
constexpr std::uint32_t kNoSuchCommand[] = {59, 115, 238};

struct Deleter {
  void operator()(mongoc_client_session_t* session) const {
    mongoc_client_session_destroy(session);
  }
  void operator()(mongoc_transaction_opt_t* options) const {
    mongoc_transaction_opts_destroy(options);
  }
  void operator()(mongoc_read_concern_t* concern) const { mongoc_read_concern_destroy(concern); }
  void operator()(mongoc_write_concern_t* concern) const { mongoc_write_concern_destroy(concern); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

Owned<mongoc_transaction_opt_t> transaction_options(milliseconds timeout) {
  Owned<mongoc_transaction_opt_t> options(mongoc_transaction_opts_new());
  const Owned<mongoc_read_concern_t> read(mongoc_read_concern_new());
  mongoc_read_concern_set_level(read.get(), MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
  mongoc_transaction_opts_set_read_concern(options.get(), read.get());
  const Owned<mongoc_write_concern_t> write(mongoc_write_concern_new());
  mongoc_write_concern_set_wmajority(write.get(), static_cast<std::int32_t>(timeout.count()));
  mongoc_write_concern_set_journal(write.get(), true);
  mongoc_transaction_opts_set_write_concern(options.get(), write.get());
  mongoc_transaction_opts_set_max_commit_time_ms(options.get(), timeout.count());
  return options;
}

std::string told(const Error& error) {
  return error.detail().empty() ? error.what() : error.what() + (": " + error.detail());
}

}  // namespace

struct MongoClient::State {
  // A transaction whose connection broke. Ending it means to ask the server once more, which nobody
  // should wait for.
  struct Broken {
    std::unique_ptr<MongoPool::Connection> connection;
    Owned<mongoc_client_session_t> session;  // ends first
  };

  explicit State(MongoOptions given)
      : options(std::move(given)),
        transaction(transaction_options(options.timeout)),
        leased(options) {
    if (!needs_lookup(options)) {
      pool.emplace(options);
      connect();
      connector = std::thread([this] { stay_connected(); });
      return;
    }
    problem = "The servers that MONGODB_URI means are being looked up";
    connector = std::thread([this] { stay_connected(); });
    std::unique_lock lock(mutex);
    changed.wait_for(lock, kLookup, [this] { return tried; });
  }

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    connector.join();
  }

  void stay_connected() {
    std::unique_lock lock(mutex);
    int failures = 0;
    while (true) {
      const auto is_needed = [this] { return stopping || problem || !broken.empty(); };
      if (has_transactions) {
        changed.wait(lock, is_needed);
      } else if (!changed.wait_for(lock, kLeftPause, is_needed)) {
        lock.unlock();
        settle_left();
        lock.lock();
        continue;
      }
      if (stopping) return;
      std::vector<Broken> ending = std::exchange(broken, {});
      const bool lost = problem.has_value();
      lock.unlock();
      ending.clear();
      if (lost) connect();
      lock.lock();
      tried = true;
      changed.notify_all();
      failures = problem ? failures + 1 : 0;
      if (!problem) continue;
      changed.wait_for(lock, failures < kSoonAttempts ? kReconnectPause : kLongReconnectPause,
                       [this] { return stopping; });
    }
  }

  // Asks the server whether it is there, and for everything that calls rely on.
  void connect() {
    try {
      if (!pool) pool.emplace(options);
      MongoPool::Connection connection(*pool);
      MongoSession session(options, connection.get(), nullptr);
      session.command(std::move(Document().set("ping", 1)));
      if (!prepared) {
        make_schema(session, options, schema(options.collection));
        make_sequence(session);
      }
      see_about_transactions(session);
      const std::lock_guard lock(mutex);
      if (problem) log::info("connected to MongoDB again");
      prepared = true;
      problem.reset();
    } catch (const Error& error) {
      failed(error);
    }
  }

  // Each time: a server may have become a member of a replica set, or none any more.
  void see_about_transactions(MongoSession& session) {
    const bool found = options.transactions && can_transact();
    if (found == has_transactions) return;
    if (!found) {
      const MongoTable tables[] = {lease_schema(options.collection)};
      make_schema(session, options, tables);
      log::warn("the MongoDB server has no transactions", {{"instead", kInOrder}});
    }
    has_transactions = found;
  }

  bool can_transact() {
    try {
      attempt([](MongoSession& inside) { inside.count(Collection::owners, {}, 1); });
      return true;
    } catch (const MongoError& error) {
      const bool has_no_end =
          std::ranges::find(kNoSuchCommand, error.server_code()) != std::end(kNoSuchCommand);
      if (!error.meaning().no_transactions && !has_no_end) throw;
      return false;
    }
  }

  void settle_left() {
    try {
      MongoPool::Connection connection(*pool);
      leased.settle_left(connection.get());
    } catch (const MongoError& error) {
      note(error);
    } catch (const Error& error) {
      log::warn("changes that others have left wait to be settled", {{"reason", error.what()}});
    }
  }

  // Before it is counted: two who count first could both begin.
  static void make_sequence(MongoSession& session) {
    Document filter, update, zero;
    filter.set("_id", kSequence);
    update.set("$setOnInsert", zero.set("n", std::int64_t{0}));
    const MongoSession::Update updates[] = {{std::move(filter), std::move(update)}};
    try {
      session.update(Collection::owners, updates, true);
    } catch (const MongoError& error) {
      // Another process makes it at this moment.
      if (!error.meaning().undone) throw;
    }
  }

  void failed(const Error& error) {
    const std::string text = told(error);
    {
      const std::lock_guard lock(mutex);
      if (!problem || *problem != text) {
        log::error("MongoDB can't be used; requests are answered with 503 until it can",
                   {{"problem", text}});
      }
      problem = text;
    }
    changed.notify_all();
  }

  void check_usable() {
    const std::lock_guard lock(mutex);
    if (problem) throw Error(Errc::unavailable, "MongoDB can't be used; try again", *problem);
  }

  // Notes what later calls need not find out again.
  void note(const MongoError& error) {
    if (error.meaning().network || error.meaning().unusable) failed(error);
  }

  // False: to be made again.
  bool attempt(const Work& work) {
    auto connection = std::make_unique<MongoPool::Connection>(*pool);
    bson_error_t error;
    Owned<mongoc_client_session_t> session(
        mongoc_client_start_session(connection->get(), nullptr, &error));
    if (!session) throw mongo_error(error, nullptr);
    if (!mongoc_client_session_start_transaction(session.get(), transaction.get(), &error)) {
      throw mongo_error(error, nullptr);
    }
    // What isn't committed is undone when the session ends.
    MongoSession inside(options, connection->get(), session.get());
    const auto start = Clock::now();
    try {
      work(inside);
    } catch (const MongoError& failure) {
      const MongoError::Meaning& meaning = failure.meaning();
      const bool quick = Clock::now() - start < kQuickly;
      if (meaning.network || meaning.unusable) {
        const std::lock_guard lock(mutex);
        broken.push_back({std::move(connection), std::move(session)});
        changed.notify_all();
      }
      if (meaning.undone && !meaning.unusable && (!meaning.network || quick)) return false;
      throw;
    }
    return commit(session.get());
  }

  bool commit(mongoc_client_session_t* session) {
    const auto end = Clock::now() + options.timeout;
    bool unknown = false;
    while (true) {
      bson_t reply;
      bson_error_t error;
      const bool committed = mongoc_client_session_commit_transaction(session, &reply, &error);
      if (committed) {
        bson_destroy(&reply);
        return true;
      }
      const MongoError failure = mongo_error(error, &reply);
      bson_destroy(&reply);
      unknown |= failure.meaning().unknown;
      if (!unknown && failure.meaning().undone) return false;
      if (!unknown) throw failure;
      if (!failure.meaning().unknown || Clock::now() >= end) {
        note(failure);
        throw Error(Errc::unavailable,
                    "MongoDB did not confirm the change; whether it was made is unknown",
                    failure.detail());
      }
    }
  }

  // Calls `fn` with a connection, once more if that turns out to be an old one before `begun` is
  // set. `notes`: a failure may mean that the server can't be used.
  template <class F>
  void with_connection(F fn, bool notes = true) {
    const auto start = Clock::now();
    for (bool again = true;; again = false) {
      check_usable();
      MongoPool::Connection connection(*pool);
      bool begun = false;
      try {
        fn(connection.get(), begun);
        return;
      } catch (const MongoError& error) {
        const bool was_old = error.meaning().network && Clock::now() - start < kQuickly;
        if (was_old && again && !begun) continue;
        if (notes) note(error);
        throw;
      }
    }
  }

  const MongoOptions options;
  // Made by whoever connects first, used by others when there is no problem.
  std::optional<MongoPool> pool;
  const Owned<mongoc_transaction_opt_t> transaction;
  LeasedChanges leased;
  std::atomic<bool> has_transactions = true;  // as far as is known

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> problem;
  std::vector<Broken> broken;
  bool tried = false;  // to connect, by the connector
  bool stopping = false;

  bool prepared = false;  // changed by whoever connects: first the constructor, then one thread
  std::thread connector;
};

MongoClient::MongoClient(MongoOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

MongoClient::~MongoClient() = default;

void MongoClient::use(const Work& work) {
  state_->with_connection([&](mongoc_client_t* client, bool&) {
    MongoSession session(state_->options, client, nullptr);
    work(session);
  });
}

void MongoClient::use_at_length(const Work& work) {
  const auto with = [&](mongoc_client_t* client, bool&) {
    MongoSession session(state_->options, client, nullptr);
    work(session);
  };
  state_->with_connection(with, false);
}

void MongoClient::transact(const Work& work) {
  const auto end = Clock::now() + kConflicts;
  for (int attempt = 1;; ++attempt) {
    state_->check_usable();
    if (!state_->has_transactions) {
      return state_->with_connection(
          [&](mongoc_client_t* client, bool& begun) { state_->leased.make(client, work, begun); });
    }
    try {
      if (state_->attempt(work)) return;
    } catch (const MongoError& error) {
      state_->note(error);
      throw;
    } catch (const Leased& leased) {
      // Left from when the server had no transactions.
      state_->with_connection(
          [&](mongoc_client_t* client, bool&) { state_->leased.wait_for(client, leased.owner); });
    }
    if (Clock::now() >= end) {
      throw Error(Errc::unavailable, "Too many change the same memories at once; try again");
    }
    pause_after(attempt);
  }
}

std::string MongoClient::note() const {
  return state_->has_transactions ? std::string()
                                  : "without transactions: " + std::string(kInOrder);
}

std::optional<std::string> MongoClient::problem() {
  try {
    use([](MongoSession& session) { session.command(std::move(Document().set("ping", 1))); });
  } catch (const MongoError& error) {
    return told(error);
  } catch (const Error& error) {
    return error.detail().empty() ? std::string(error.what()) : error.detail();
  }
  return std::nullopt;
}

}  // namespace maas::ltm
