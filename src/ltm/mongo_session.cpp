#include "ltm/memory_bson.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_error.hpp"

#include <algorithm>
#include <mongoc/mongoc.h>

namespace maas::ltm {
namespace {

constexpr std::size_t kWrittenAtOnce = 200;  // documents
constexpr std::size_t kFoundAtOnce = 1'000;  // texts in one filter, far below 16 MB
constexpr int kReadAtOnce = 1'000;  // of a pipeline: one answer holds what a search asks for

std::string name_of(const MongoOptions& options, Collection collection) {
  switch (collection) {
    case Collection::memories:
      return options.collection;
    case Collection::history:
      return options.collection + "_history";
    case Collection::owners:
      return options.collection + "_owners";
  }
  return options.collection;
}

struct Deleter {
  void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
  void operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }
  void operator()(mongoc_bulk_operation_t* bulk) const { mongoc_bulk_operation_destroy(bulk); }
  void operator()(mongoc_find_and_modify_opts_t* options) const {
    mongoc_find_and_modify_opts_destroy(options);
  }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

// What a server answered. The driver fills it in any case.
class Reply {
 public:
  Reply() = default;
  ~Reply() { bson_destroy(&bson_); }
  Reply(const Reply&) = delete;
  bson_t* get() { return &bson_; }

 private:
  bson_t bson_ = BSON_INITIALIZER;
};

Owned<mongoc_collection_t> open(mongoc_client_t* client, const MongoOptions& options,
                                Collection collection) {
  return Owned<mongoc_collection_t>(mongoc_client_get_collection(
      client, options.database.c_str(), name_of(options, collection).c_str()));
}

std::size_t number(const bson_t* reply, const char* key) {
  bson_iter_t field;
  if (!bson_iter_init_find(&field, reply, key)) return 0;
  return static_cast<std::size_t>(std::max<std::int64_t>(0, bson_iter_as_int64(&field)));
}

void execute(mongoc_bulk_operation_t* bulk, Reply& reply) {
  bson_error_t error;
  if (mongoc_bulk_operation_execute(bulk, reply.get(), &error) == 0) {
    throw mongo_error(error, reply.get());
  }
}

void read_all(mongoc_cursor_t* cursor, const MongoSession::Visit& visit) {
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor, &document)) {
    if (!visit(document)) return;
  }
  bson_error_t error;
  const bson_t* reply = nullptr;
  if (mongoc_cursor_error_document(cursor, &error, &reply)) throw mongo_error(error, reply);
}

}  // namespace

Document MongoSession::with_session(Document options) const {
  if (!session_) return options;
  bson_error_t error;
  // The driver's way to name a session in options.
  if (!mongoc_client_session_append(session_, const_cast<bson_t*>(options.get()), &error)) {
    throw mongo_error(error, nullptr);
  }
  return options;
}

Document MongoSession::for_writes() const {
  Document options;
  if (writes_ == Writes::durable) {
    Document concern;
    options.set("writeConcern", concern.set("w", "majority").set("j", true));
  }
  return with_session(std::move(options));
}

void MongoSession::find(Collection collection, const Document& filter, Document options,
                        const Visit& visit) {
  options.set("maxTimeMS", options_.timeout.count());
  const Document with = with_session(std::move(options));
  const auto in = open(client_, options_, collection);
  const Owned<mongoc_cursor_t> cursor(
      mongoc_collection_find_with_opts(in.get(), filter.get(), with.get(), nullptr));
  read_all(cursor.get(), visit);
}

void MongoSession::aggregate(Collection collection, std::span<const Document> pipeline,
                             const Visit& visit) {
  Document stages;
  stages.set("pipeline", pipeline);
  Document options;
  options.set("maxTimeMS", options_.timeout.count()).set("batchSize", kReadAtOnce);
  const Document with = with_session(std::move(options));
  const auto in = open(client_, options_, collection);
  const Owned<mongoc_cursor_t> cursor(
      mongoc_collection_aggregate(in.get(), MONGOC_QUERY_NONE, stages.get(), with.get(), nullptr));
  read_all(cursor.get(), visit);
}

void MongoSession::list_indexes(Collection collection, const Visit& visit) {
  const auto in = open(client_, options_, collection);
  const Owned<mongoc_cursor_t> cursor(mongoc_collection_find_indexes_with_opts(in.get(), nullptr));
  read_all(cursor.get(), visit);
}

std::size_t MongoSession::count(Collection collection, const Document& filter, std::size_t limit) {
  const Document stages[] = {std::move(Document().set("$match", filter)),
                             std::move(Document().set("$limit", static_cast<std::int64_t>(limit))),
                             std::move(Document().set("$count", "n"))};
  std::size_t found = 0;
  aggregate(collection, stages, [&found](const bson_t* document) {
    found = number(document, "n");
    return false;
  });
  return found;
}

// In parts: the time limit is for each answer of the server, however much there is to do.
void MongoSession::insert(Collection collection, std::span<const Document> documents) {
  for (std::size_t begin = 0; begin < documents.size(); begin += kWrittenAtOnce) {
    insert_some(collection,
                documents.subspan(begin, std::min(kWrittenAtOnce, documents.size() - begin)));
  }
}

void MongoSession::insert_some(Collection collection, std::span<const Document> documents) {
  const auto in = open(client_, options_, collection);
  const Owned<mongoc_bulk_operation_t> bulk(
      mongoc_collection_create_bulk_operation_with_opts(in.get(), for_writes().get()));
  bson_error_t error;
  for (const Document& document : documents) {
    if (!mongoc_bulk_operation_insert_with_opts(bulk.get(), document.get(), nullptr, &error)) {
      throw mongo_error(error, nullptr);
    }
  }
  Reply reply;
  execute(bulk.get(), reply);
}

void MongoSession::replace(Collection collection, std::span<const Document> documents) {
  const auto in = open(client_, options_, collection);
  const Owned<mongoc_bulk_operation_t> bulk(
      mongoc_collection_create_bulk_operation_with_opts(in.get(), for_writes().get()));
  Document upsert;
  upsert.set("upsert", true);
  bson_error_t error;
  for (const Document& document : documents) {
    Document same;
    same.set("_id", text_field(document.get(), "_id"));
    if (!mongoc_bulk_operation_replace_one_with_opts(bulk.get(), same.get(), document.get(),
                                                     upsert.get(), &error)) {
      throw mongo_error(error, nullptr);
    }
  }
  Reply reply;
  execute(bulk.get(), reply);
}

std::size_t MongoSession::update(Collection collection, std::span<const Update> updates,
                                 bool upsert) {
  std::size_t matched = 0;
  for (std::size_t begin = 0; begin < updates.size(); begin += kWrittenAtOnce) {
    matched += update_some(collection,
                           updates.subspan(begin, std::min(kWrittenAtOnce, updates.size() - begin)),
                           upsert);
  }
  return matched;
}

std::size_t MongoSession::update_some(Collection collection, std::span<const Update> updates,
                                      bool upsert) {
  const auto in = open(client_, options_, collection);
  const Owned<mongoc_bulk_operation_t> bulk(
      mongoc_collection_create_bulk_operation_with_opts(in.get(), for_writes().get()));
  Document options;
  options.set("upsert", upsert);
  bson_error_t error;
  for (const auto& [filter, update] : updates) {
    if (!mongoc_bulk_operation_update_one_with_opts(bulk.get(), filter.get(), update.get(),
                                                    options.get(), &error)) {
      throw mongo_error(error, nullptr);
    }
  }
  Reply reply;
  execute(bulk.get(), reply);
  return number(reply.get(), "nMatched");
}

void MongoSession::remove(Collection collection, const Document& filter) {
  const auto in = open(client_, options_, collection);
  Reply reply;
  bson_error_t error;
  bson_destroy(reply.get());
  if (!mongoc_collection_delete_many(in.get(), filter.get(), for_writes().get(), reply.get(),
                                     &error)) {
    throw mongo_error(error, reply.get());
  }
}

std::int64_t MongoSession::increment(Collection collection, std::string_view id, std::int64_t by,
                                     const Document& fields) {
  const auto in = open(client_, options_, collection);
  Document filter, update, added;
  filter.set("_id", id);
  update.set("$inc", added.set("n", by));
  if (!fields.empty()) update.set("$setOnInsert", fields);
  const Owned<mongoc_find_and_modify_opts_t> options(mongoc_find_and_modify_opts_new());
  mongoc_find_and_modify_opts_set_update(options.get(), update.get());
  mongoc_find_and_modify_opts_set_flags(
      options.get(), static_cast<mongoc_find_and_modify_flags_t>(
                         MONGOC_FIND_AND_MODIFY_UPSERT | MONGOC_FIND_AND_MODIFY_RETURN_NEW));
  mongoc_find_and_modify_opts_append(options.get(), with_session({}).get());
  Reply reply;
  bson_error_t error;
  bson_destroy(reply.get());
  if (!mongoc_collection_find_and_modify_with_opts(in.get(), filter.get(), options.get(),
                                                   reply.get(), &error)) {
    throw mongo_error(error, reply.get());
  }
  bson_iter_t value, n, lease;
  if (bson_iter_init(&value, reply.get()) &&
      bson_iter_find_descendant(&value, "value.lease_holder", &lease)) {
    throw Leased{std::string(id)};
  }
  if (!bson_iter_init(&value, reply.get()) || !bson_iter_find_descendant(&value, "value.n", &n)) {
    // Some servers do that to the second of two that make the same document.
    throw lost_race("MongoDB returned no counter");
  }
  return bson_iter_as_int64(&n);
}

std::map<std::string, std::int64_t> MongoSession::count_changes(std::span<const Owner> owners) {
  std::map<std::string, std::int64_t> changes;
  if (owners.size() == 1) {
    changes[owners[0].key] = increment(Collection::owners, owners[0].key, 1, owners[0].fields);
    return changes;
  }
  std::vector<Update> updates;
  for (const Owner& owner : owners) {
    Document filter, added, update;
    filter.set("_id", owner.key);
    update.set("$inc", added.set("n", std::int64_t{1})).set("$setOnInsert", owner.fields);
    updates.push_back({std::move(filter), std::move(update)});
  }
  update(Collection::owners, updates, true);
  for (std::size_t begin = 0; begin < owners.size(); begin += kFoundAtOnce) {
    std::vector<std::string> keys;
    for (const Owner& each : owners.subspan(begin, std::min(kFoundAtOnce, owners.size() - begin))) {
      keys.push_back(each.key);
    }
    Document filter, among;
    filter.set("_id", among.set("$in", std::span<const std::string>(keys)));
    find(Collection::owners, filter, {}, [&changes](const bson_t* document) {
      std::string key = text_field(document, "_id");
      if (!text_field(document, "lease_holder").empty()) throw Leased{std::move(key)};
      changes[std::move(key)] = number_field(document, "n");
      return true;
    });
  }
  return changes;
}

void MongoSession::command(const Document& command) {
  Reply reply;
  bson_error_t error;
  bson_destroy(reply.get());
  if (!mongoc_client_write_command_with_opts(client_, options_.database.c_str(), command.get(),
                                             with_session({}).get(), reply.get(), &error)) {
    throw mongo_error(error, reply.get());
  }
}

std::int64_t MongoSession::server_time() {
  Document hello;
  Reply reply;
  bson_error_t error;
  bson_destroy(reply.get());
  if (!mongoc_client_command_simple(client_, "admin", hello.set("hello", 1).get(), nullptr,
                                    reply.get(), &error)) {
    throw mongo_error(error, reply.get());
  }
  const std::int64_t time = date_field(reply.get(), "localTime");
  if (time == 0) throw Error(Errc::unavailable, "The MongoDB server tells no time");
  return time;
}

}  // namespace maas::ltm
