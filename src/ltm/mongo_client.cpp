#include "ltm/mongo_client.hpp"

#include "core/log.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/mongo_schema.hpp"

#include <algorithm>
#include <condition_variable>
#include <mongoc/mongoc.h>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Between attempts to connect: soon at first, later without a load on a server that refuses.
constexpr milliseconds kReconnectPause{100};
constexpr milliseconds kLongReconnectPause{1'000};
constexpr int kSoonAttempts = 20;
// How long a call waits for a server to appear: with what was lost before it, and the end of the
// transaction after it, a request is answered within 2 s.
constexpr milliseconds kSelection{500};
// How long a transaction is made anew because others were faster.
constexpr milliseconds kConflicts{5'000};
// A connection that broke at once was an old one; what took longer is not tried again.
constexpr milliseconds kQuickly{200};
constexpr milliseconds kLongestPause{40};

// The driver's global state, and its log lines, which would else go to stderr as they are.
void start_driver() {
  struct Driver {
    Driver() {
      mongoc_init();
      mongoc_log_set_handler(
          [](mongoc_log_level_t, const char* domain, const char* message, void*) {
            log::debug("the MongoDB driver says something",
                       {{"domain", domain}, {"text", message}});
          },
          nullptr);
    }
    ~Driver() { mongoc_cleanup(); }
  };
  static const Driver driver;
}

struct Deleter {
  void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
  void operator()(mongoc_client_pool_t* pool) const { mongoc_client_pool_destroy(pool); }
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

// The driver's text about a URI, if it says nothing of what stands before the '@'.
std::string without_secret(const std::string& uri, std::string text) {
  const std::size_t end = uri.rfind('@');
  if (end == uri.npos) return text;
  const std::size_t scheme = uri.find("://");
  const std::size_t begin = scheme == uri.npos ? 0 : scheme + 3;
  if (begin >= end) return text;
  const std::string secret = uri.substr(begin, end - begin);
  const std::string password = secret.substr(secret.find(':') + 1);
  const bool told = text.find(secret) != text.npos || text.find(password) != text.npos;
  return told ? "it can't be read" : text;
}

Owned<mongoc_uri_t> parse(const std::string& text) {
  start_driver();
  bson_error_t error;
  Owned<mongoc_uri_t> uri(mongoc_uri_new_with_error(text.c_str(), &error));
  if (!uri) {
    throw Error(Errc::invalid_argument,
                "MONGODB_URI is no URI of MongoDB, such as "
                "mongodb://user:password@host:27017: " +
                    without_secret(text, error.message));
  }
  return uri;
}

Owned<mongoc_client_pool_t> make_pool(const MongoOptions& options) {
  const auto uri = parse(options.uri);
  const auto limit = [&uri](const char* name, std::int64_t value) {
    mongoc_uri_set_option_as_int32(uri.get(), name, static_cast<std::int32_t>(value));
  };
  limit(MONGOC_URI_SERVERSELECTIONTIMEOUTMS, std::min(kSelection, options.timeout).count());
  limit(MONGOC_URI_CONNECTTIMEOUTMS, options.timeout.count());
  limit(MONGOC_URI_SOCKETTIMEOUTMS, options.timeout.count());
  limit(MONGOC_URI_WAITQUEUETIMEOUTMS, options.timeout.count());
  limit(MONGOC_URI_MAXPOOLSIZE, static_cast<std::int64_t>(options.pool_size + 1));
  // The driver tries again whatever failed, also what took all the time that there is.
  mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_RETRYREADS, false);
  mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_RETRYWRITES, false);
  bson_error_t error;
  Owned<mongoc_client_pool_t> pool(mongoc_client_pool_new_with_error(uri.get(), &error));
  if (!pool) {
    throw Error(Errc::invalid_argument,
                "MONGODB_URI can't be used: " + without_secret(options.uri, error.message));
  }
  mongoc_client_pool_set_error_api(pool.get(), 2);
  mongoc_client_pool_set_appname(pool.get(), "maas");
  return pool;
}

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

// Longer from attempt to attempt, and not the same for two who are in each other's way.
void pause_after(int attempt) {
  thread_local std::minstd_rand random{std::random_device()()};
  const auto longest = std::min<std::int64_t>(kLongestPause.count(), 1ll << std::min(attempt, 10));
  std::this_thread::sleep_for(std::chrono::microseconds(
      std::uniform_int_distribution<std::int64_t>(0, 1'000 * longest)(random)));
}

}  // namespace

void check_mongo_options(const MongoOptions& options) {
  parse(options.uri);
  // As MongoDB's manual lists them.
  constexpr std::string_view kInNoDatabase = "/\\. \"$*<>:|?";
  constexpr std::size_t kLongestDatabase = 63;
  const std::string& database = options.database;
  if (database.size() > kLongestDatabase ||
      database.find_first_of(kInNoDatabase) != database.npos) {
    throw Error(Errc::invalid_argument,
                "MONGODB_DB_NAME '" + database + "' is no name of a MongoDB database");
  }
  const std::string& collection = options.collection;
  if (collection.find('$') != collection.npos || collection.starts_with("system.") ||
      collection.starts_with('.')) {
    throw Error(Errc::invalid_argument,
                "MONGODB_COLLECTION_NAME '" + collection + "' is no name of a MongoDB collection");
  }
}

struct MongoClient::State {
  // A connection of the pool, for as long as this lives.
  class Connection {
   public:
    explicit Connection(mongoc_client_pool_t* pool)
        : pool_(pool), client_(mongoc_client_pool_pop(pool)) {
      if (!client_)
        throw Error(Errc::unavailable, "All connections to MongoDB are in use; try again");
    }
    ~Connection() { mongoc_client_pool_push(pool_, client_); }
    Connection(const Connection&) = delete;
    mongoc_client_t* get() { return client_; }

   private:
    mongoc_client_pool_t* pool_;
    mongoc_client_t* client_;
  };

  // A transaction whose connection broke. Ending it means to ask the server once more, which nobody
  // should wait for.
  struct Broken {
    std::unique_ptr<Connection> connection;
    Owned<mongoc_client_session_t> session;  // ends first
  };

  explicit State(MongoOptions given)
      : options(std::move(given)),
        pool(make_pool(options)),
        transaction(transaction_options(options.timeout)) {
    connect();
    connector = std::thread([this] { stay_connected(); });
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
      changed.wait(lock, [this] { return stopping || problem || !broken.empty(); });
      if (stopping) return;
      std::vector<Broken> ending = std::exchange(broken, {});
      const bool lost = problem.has_value();
      lock.unlock();
      ending.clear();
      if (lost) connect();
      lock.lock();
      failures = problem ? failures + 1 : 0;
      if (!problem) continue;
      changed.wait_for(lock, failures < kSoonAttempts ? kReconnectPause : kLongReconnectPause,
                       [this] { return stopping; });
    }
  }

  // Asks the server whether it is there, and for everything that calls rely on.
  void connect() {
    try {
      Connection connection(pool.get());
      MongoSession session(options, connection.get(), nullptr);
      session.command(std::move(Document().set("ping", 1)));
      if (!prepared) {
        for (const Document& command : schema_commands(options.collection)) {
          session.command(command);
        }
        make_sequence(session);
        attempt([](MongoSession& inside) { inside.count(Collection::owners, {}, 1); });
      }
      const std::lock_guard lock(mutex);
      if (problem) log::info("connected to MongoDB again");
      prepared = true;
      problem.reset();
    } catch (const Error& error) {
      failed(error);
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
    const std::string text =
        error.detail().empty() ? error.what() : error.what() + (": " + error.detail());
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
    auto connection = std::make_unique<Connection>(pool.get());
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

  const MongoOptions options;
  const Owned<mongoc_client_pool_t> pool;
  const Owned<mongoc_transaction_opt_t> transaction;

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> problem;
  std::vector<Broken> broken;
  bool stopping = false;

  bool prepared = false;  // changed by whoever connects: first the constructor, then one thread
  std::thread connector;
};

MongoClient::MongoClient(MongoOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

MongoClient::~MongoClient() = default;

void MongoClient::use(const Work& work) {
  const auto start = Clock::now();
  for (bool again = true;; again = false) {
    state_->check_usable();
    State::Connection connection(state_->pool.get());
    MongoSession session(state_->options, connection.get(), nullptr);
    try {
      work(session);
      return;
    } catch (const MongoError& error) {
      const bool was_old = error.meaning().network && Clock::now() - start < kQuickly;
      if (was_old && again) continue;
      state_->note(error);
      throw;
    }
  }
}

void MongoClient::transact(const Work& work) {
  const auto end = Clock::now() + kConflicts;
  for (int attempt = 1;; ++attempt) {
    state_->check_usable();
    try {
      if (state_->attempt(work)) return;
    } catch (const MongoError& error) {
      state_->note(error);
      throw;
    }
    if (Clock::now() >= end) {
      throw Error(Errc::unavailable, "Too many change the same memories at once; try again");
    }
    pause_after(attempt);
  }
}

std::optional<std::string> MongoClient::problem() {
  try {
    use([](MongoSession& session) { session.command(std::move(Document().set("ping", 1))); });
  } catch (const Error& error) {
    return error.detail().empty() ? std::string(error.what()) : error.detail();
  }
  return std::nullopt;
}

}  // namespace maas::ltm
