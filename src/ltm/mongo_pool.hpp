#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

struct _mongoc_client_t;
struct _mongoc_client_pool_t;

namespace maas::ltm {

struct MongoOptions {
  std::string uri = {};  // mongodb://… or mongodb+srv://…, with everything the driver understands
  std::string database = "maas";
  std::string collection = "memories";       // history and owners stand beside it
  std::chrono::milliseconds timeout{1'500};  // for each answer of a server
  std::size_t pool_size = 16;                // connections, as many calls at once
  bool transactions = true;                  // false: not used where the server has them, either
};

// Throws Error{invalid_argument} for a URI that the driver can't read, never repeating the part
// that may hold a password, and for names that no server takes.
void check_mongo_options(const MongoOptions& options);

// The servers that a URI which was checked names: host:port, separated by commas and in order, or
// the name that a name server looks them up by.
std::string mongo_hosts(const MongoOptions& options);

// Whether a name server has to tell which hosts a URI that was checked means.
bool needs_lookup(const MongoOptions& options);

// The driver's connections to the servers that a URI names. Thread-safe.
class MongoPool {
 public:
  // A connection, for as long as this lives.
  class Connection {
   public:
    // Throws Error{unavailable} if all are in use.
    explicit Connection(MongoPool& pool);
    ~Connection();
    Connection(const Connection&) = delete;
    _mongoc_client_t* get() { return client_; }

   private:
    MongoPool& pool_;
    _mongoc_client_t* client_;
  };

  // Asks the name server if the URI needs it, and blocks meanwhile; else makes no connection yet.
  // Throws Error{unavailable} when the name server doesn't tell, and Error{invalid_argument}.
  explicit MongoPool(const MongoOptions& options);
  ~MongoPool();

 private:
  struct Destroy {
    void operator()(_mongoc_client_pool_t* pool) const;
  };
  std::unique_ptr<_mongoc_client_pool_t, Destroy> pool_;
};

}  // namespace maas::ltm
