#include "ltm/mongo_schema.hpp"

#include "core/error.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/mongo_index_bson.hpp"

#include <algorithm>
#include <utility>

namespace maas::ltm {
namespace {

Document keys_of(const MongoIndex& index) {
  Document keys;
  for (const auto& [field, direction] : index.keys) keys.set(field, direction);
  return keys;
}

std::vector<MongoIndex> list(MongoSession& session, Collection collection) {
  std::vector<MongoIndex> indexes;
  try {
    session.list_indexes(collection, [&indexes](const _bson_t* listed) {
      indexes.push_back(index_of(listed));
      return true;
    });
  } catch (const MongoError& error) {
    // Who may not look may still be allowed to make them; else that is told.
    if (!error.meaning().forbidden) throw;
  }
  return indexes;
}

Error in_the_way(const MongoTable& table, const MongoIndex& found, const std::string& what) {
  return Error(Errc::unavailable, "The index " + found.name + " of MongoDB's collection " +
                                      table.name + " " + what +
                                      ": drop it, or choose another MONGODB_COLLECTION_NAME");
}

bool has(const MongoTable& table, std::span<const MongoIndex> present, const MongoIndex& wanted) {
  const auto has_keys = [&](const MongoIndex& each) { return each.keys == wanted.keys; };
  const auto serves = [&](const MongoIndex& each) {
    return has_keys(each) && each.property.empty();
  };
  if (std::ranges::any_of(present, serves)) return true;
  const auto same = std::ranges::find_if(present, has_keys);
  if (same != present.end()) {
    throw in_the_way(table, *same, "is of no use with its property '" + same->property + "'");
  }
  const auto named = std::ranges::find(present, wanted.name, &MongoIndex::name);
  if (named == present.end()) return false;
  throw in_the_way(
      table, *named,
      "has the keys " + keys_of(*named).json() + ", and MaaS needs " + keys_of(wanted).json());
}

void create(MongoSession& session, const MongoOptions& options, const MongoTable& table,
            std::span<const MongoIndex> missing) {
  try {
    session.command(create_indexes(table, missing));
  } catch (const MongoError& error) {
    if (!error.meaning().forbidden) throw;
    std::string names;
    for (const MongoIndex& each : missing) names += (names.empty() ? "" : ", ") + each.name;
    throw error.in_words("The user of MONGODB_URI lacks rights to make the indexes " + names +
                         " of the collection " + table.name +
                         ": give it readWrite on the database " + options.database +
                         ", or make them as docs/scaling.md lists them");
  }
}

}  // namespace

std::vector<MongoIndex> MongoTable::missing(std::span<const MongoIndex> present) const {
  std::vector<MongoIndex> needed;
  for (const MongoIndex& wanted : indexes) {
    if (!has(*this, present, wanted)) needed.push_back(wanted);
  }
  return needed;
}

std::vector<MongoTable> schema(const std::string& collection) {
  // The order in which a scope is listed.
  const auto listed = [](std::string name, std::string id) -> MongoIndex {
    return {std::move(name),
            {{"tenant", 1}, {std::move(id), 1}, {"created_at", -1}, {"sequence", -1}}};
  };
  const std::vector<MongoIndex> of_memories{
      listed("of_user", "user_id"),
      listed("of_agent", "agent_id"),
      listed("of_session", "session_id"),
      {"by_digest", {{"tenant", 1}, {"digest", 1}}},
      {"by_change", {{"owner", 1}, {"change", 1}}},
      {"expires_at_1", {{"expires_at", 1}}},
      {"sequence_1", {{"sequence", 1}}},
      {"by_update", {{"tenant", 1}, {"updated_at", -1}}},
  };
  const std::vector<MongoIndex> of_history{
      {"of_memory", {{"tenant", 1}, {"memory_id", 1}, {"version", 1}}},
      {"by_change", {{"owner", 1}, {"change", 1}}},
  };
  const std::vector<MongoIndex> of_owners{
      {"of_user", {{"tenant", 1}, {"user_id", 1}}},
      {"of_agent", {{"tenant", 1}, {"agent_id", 1}}},
      {"of_session", {{"tenant", 1}, {"session_id", 1}}},
  };
  return {{Collection::memories, collection, of_memories},
          {Collection::history, collection + "_history", of_history},
          {Collection::owners, collection + "_owners", of_owners}};
}

MongoTable lease_schema(const std::string& collection) {
  return {Collection::owners, collection + "_owners", {{"by_lease", {{"lease_holder", 1}}}}};
}

Document create_indexes(const MongoTable& table, std::span<const MongoIndex> indexes) {
  std::vector<Document> documents;
  for (const MongoIndex& each : indexes) {
    Document index;
    documents.push_back(std::move(index.set("key", keys_of(each)).set("name", each.name)));
  }
  Document command;
  command.set("createIndexes", table.name).set("indexes", std::span<const Document>(documents));
  return command;
}

void make_schema(MongoSession& session, const MongoOptions& options,
                 std::span<const MongoTable> tables) {
  for (const MongoTable& table : tables) {
    const std::vector<MongoIndex> missing = table.missing(list(session, table.collection));
    if (!missing.empty()) create(session, options, table, missing);
  }
}

}  // namespace maas::ltm
