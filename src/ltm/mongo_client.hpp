#pragma once

#include "ltm/document_bson.hpp"
#include "ltm/mongo_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct _mongoc_client_t;
struct _mongoc_client_session_t;

namespace maas::ltm {

// The counter of memories, a document of the owners' collection; no owner's key begins like this.
inline constexpr std::string_view kSequence = "sequence";

enum class Collection { memories, history, owners };

// Whose memories are counted: the key, and what else its document has.
struct Owner {
  std::string key;
  Document fields;
};

// Somebody changes an owner's memories, or has left a change of them (mongo_lease.hpp).
struct Leased {
  std::string owner;
};

// One connection at work, for one thread: alone, or inside a transaction. All functions block, and
// throw MongoError.
class MongoSession {
 public:
  using Visit = std::function<bool(const _bson_t* document)>;

  struct Update {
    Document filter;  // finds at most one
    Document update;
  };

  // Durable: confirmed when most of the servers have them in their journals. A transaction says
  // that itself.
  enum class Writes { plain, durable };

  // `session` null: outside of a transaction. Borrows everything.
  MongoSession(const MongoOptions& options, _mongoc_client_t* client,
               _mongoc_client_session_t* session, Writes writes = Writes::plain)
      : options_(options), client_(client), session_(session), writes_(writes) {}
  virtual ~MongoSession() = default;

  // Calls `visit` with what matches, until it says false. `options`: sort, projection, limit.
  void find(Collection collection, const Document& filter, Document options, const Visit& visit);

  // Calls `visit` with what a pipeline gives, until it says false.
  void aggregate(Collection collection, std::span<const Document> pipeline, const Visit& visit);

  // Calls `visit` with each index; with none if the collection isn't there.
  void list_indexes(Collection collection, const Visit& visit);

  // How many match, counted up to `limit`.
  std::size_t count(Collection collection, const Document& filter, std::size_t limit);

  virtual void insert(Collection collection, std::span<const Document> documents);

  // Stores documents, in the place of those with the same _id.
  void replace(Collection collection, std::span<const Document> documents);

  // How many were found. `upsert`: those that are not there are made.
  virtual std::size_t update(Collection collection, std::span<const Update> updates,
                             bool upsert = false);

  virtual void remove(Collection collection, const Document& filter);

  // Counts a change of each owner's memories; the numbers of these changes, by owner. Throws
  // Leased.
  virtual std::map<std::string, std::int64_t> count_changes(std::span<const Owner> owners);

  // Adds to the number `n` of the document `id`, which begins with 0; its new value. A document
  // that isn't there is made, with `fields`. Throws Leased.
  std::int64_t increment(Collection collection, std::string_view id, std::int64_t by,
                         const Document& fields = {});

  void command(const Document& command);

  // The server's, in ms since the epoch.
  std::int64_t server_time();

 private:
  Document with_session(Document options) const;
  Document for_writes() const;
  void insert_some(Collection collection, std::span<const Document> documents);
  std::size_t update_some(Collection collection, std::span<const Update> updates, bool upsert);

  const MongoOptions& options_;
  _mongoc_client_t* client_;
  _mongoc_client_session_t* session_;
  Writes writes_;
};

// Connections to a MongoDB server, or to a set of them. It connects in the background and again
// whenever the servers are lost; meanwhile calls fail at once. Collections and indexes are made
// when the server is first reached, if they aren't there. Thread-safe; all functions block.
class MongoClient {
 public:
  using Work = std::function<void(MongoSession& session)>;

  // Tries to connect once before it returns. Throws Error{invalid_argument} for a malformed URI.
  explicit MongoClient(MongoOptions options);
  ~MongoClient();

  // Lets `work` use a connection. Throws what it throws, and Error{unavailable}. `work` is called
  // again when the connection turns out to be broken, so it begins anew each time.
  void use(const Work& work);

  // The same for what a server may be silent about until it is done: a failure is `work`'s alone,
  // and does not mean that the server is away.
  void use_at_length(const Work& work);

  // Lets `work` use a connection inside a transaction, which is committed to a majority of the
  // servers, and durably, when this returns. `work` is called again when others changed the same
  // documents meanwhile, so it begins anew each time. When `work` throws, nothing has been changed.
  //
  // On a server without transactions (LeasedChanges) `work` does not find what it has written, and
  // others may find a part of it before this returns. It counts the owners of all that it changes.
  void transact(const Work& work);

  // What is to be known of the server beside that it can be used; empty: nothing.
  std::string note() const;

  // Why MongoDB can't be used; asks it.
  std::optional<std::string> problem();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace maas::ltm
