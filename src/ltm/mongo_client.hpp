#pragma once

#include "ltm/document_bson.hpp"
#include "ltm/mongo_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
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

// One connection at work, for one thread: alone, or inside a transaction. All functions block, and
// throw MongoError.
class MongoSession {
 public:
  using Visit = std::function<bool(const _bson_t* document)>;

  struct Update {
    Document filter;  // finds at most one
    Document update;
  };

  // `session` null: outside of a transaction. Borrows everything.
  MongoSession(const MongoOptions& options, _mongoc_client_t* client,
               _mongoc_client_session_t* session)
      : options_(options), client_(client), session_(session) {}

  // Calls `visit` with what matches, until it says false. `options`: sort, projection, limit.
  void find(Collection collection, const Document& filter, Document options, const Visit& visit);

  // Calls `visit` with what a pipeline gives, until it says false.
  void aggregate(Collection collection, std::span<const Document> pipeline, const Visit& visit);

  // Calls `visit` with each index; with none if the collection isn't there.
  void list_indexes(Collection collection, const Visit& visit);

  // How many match, counted up to `limit`.
  std::size_t count(Collection collection, const Document& filter, std::size_t limit);

  void insert(Collection collection, std::span<const Document> documents);

  // How many were found. `upsert`: those that are not there are made.
  std::size_t update(Collection collection, std::span<const Update> updates, bool upsert = false);

  std::size_t remove(Collection collection, const Document& filter);

  // Adds to the number `n` of the document `id`, which begins with 0; its new value. A document
  // that isn't there is made, with `fields`.
  std::int64_t increment(Collection collection, std::string_view id, std::int64_t by,
                         const Document& fields = {});

  void command(const Document& command);

 private:
  Document with_session(Document options) const;
  void insert_some(Collection collection, std::span<const Document> documents);
  std::size_t update_some(Collection collection, std::span<const Update> updates, bool upsert);

  const MongoOptions& options_;
  _mongoc_client_t* client_;
  _mongoc_client_session_t* session_;
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

  // The same inside a transaction, which is committed to a majority of the servers, and durably,
  // when this returns. `work` is called again when others changed the same documents meanwhile, so
  // it begins anew each time. When `work` throws, nothing has been changed.
  void transact(const Work& work);

  // Why MongoDB can't be used; asks it.
  std::optional<std::string> problem();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace maas::ltm
