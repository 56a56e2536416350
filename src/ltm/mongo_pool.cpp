#include "ltm/mongo_pool.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "ltm/mongo_monitor.hpp"

#include <algorithm>
#include <mongoc/mongoc.h>
#include <set>
#include <string_view>

namespace maas::ltm {
namespace {

using std::chrono::milliseconds;

// How long a call waits for a server to appear: with what was lost before it, and the end of the
// transaction after it, a request is answered within 2 s.
constexpr milliseconds kSelection{500};

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

Owned<mongoc_uri_t> with_limits(const MongoOptions& options) {
  auto uri = parse(options.uri);
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
  return uri;
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

std::string mongo_hosts(const MongoOptions& options) {
  const auto uri = parse(options.uri);
  if (const char* name = mongoc_uri_get_srv_hostname(uri.get())) return name;
  std::set<std::string_view> hosts;
  for (const mongoc_host_list_t* each = mongoc_uri_get_hosts(uri.get()); each; each = each->next) {
    hosts.insert(each->host_and_port);
  }
  std::string told;
  for (const std::string_view host : hosts) {
    if (!told.empty()) told += ',';
    told += host;
  }
  return told;
}

bool needs_lookup(const MongoOptions& options) {
  return mongoc_uri_get_srv_hostname(parse(options.uri).get()) != nullptr;
}

void MongoPool::Destroy::operator()(mongoc_client_pool_t* pool) const {
  mongoc_client_pool_destroy(pool);
}

MongoPool::MongoPool(const MongoOptions& options) {
  const auto uri = with_limits(options);
  bson_error_t error;
  pool_.reset(mongoc_client_pool_new_with_error(uri.get(), &error));
  if (!pool_) {
    const std::string told = without_secret(options.uri, error.message);
    const char* name = mongoc_uri_get_srv_hostname(uri.get());
    if (!name) throw Error(Errc::invalid_argument, "MONGODB_URI can't be used: " + told);
    throw Error(Errc::unavailable,
                "No name server tells the servers that MONGODB_URI means by mongodb+srv://" +
                    std::string(name) + ": check that name, and this machine's name server",
                told);
  }
  mongoc_client_pool_set_error_api(pool_.get(), 2);
  mongoc_client_pool_set_appname(pool_.get(), "maas");
  monitor_commands(pool_.get());
}

MongoPool::~MongoPool() = default;

MongoPool::Connection::Connection(MongoPool& pool)
    : pool_(pool), client_(mongoc_client_pool_pop(pool.pool_.get())) {
  if (!client_) throw Error(Errc::unavailable, "All connections to MongoDB are in use; try again");
}

MongoPool::Connection::~Connection() { mongoc_client_pool_push(pool_.pool_.get(), client_); }

}  // namespace maas::ltm
