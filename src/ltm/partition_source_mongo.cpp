#include "ltm/partition_source_mongo.hpp"

#include "ltm/memory_bson.hpp"
#include "ltm/mongo_queries.hpp"

#include <algorithm>
#include <utility>

namespace maas::ltm {
namespace {

// Owners in one filter: it has to stay far below 16 MB, and quick to plan.
constexpr std::size_t kOwnersAtOnce = 200;

}  // namespace

Document MongoPartitionSource::what_is_read() const {
  return space_.dims == 0 ? without_vectors() : Document();
}

std::vector<OwnerChange> MongoPartitionSource::last_changes(std::string_view tenant,
                                                            const Scope& scope) {
  std::vector<OwnerChange> changes;
  client_.use([&](MongoSession& session) {
    changes.clear();
    Document options, fields;
    options.set("projection", fields.set("n", 1));
    session.find(Collection::owners, scope_filter(tenant, scope), std::move(options),
                 [&changes](const _bson_t* document) {
                   changes.push_back({text_field(document, "_id"), number_field(document, "n")});
                   return true;
                 });
  });
  return changes;
}

void MongoPartitionSource::read_all(std::string_view tenant, const Scope& scope, std::size_t most,
                                    const std::function<void(MemoryRow)>& visit) {
  client_.use([&](MongoSession& session) {
    const Document filter = scope_filter(tenant, scope);
    if (session.count(Collection::memories, filter, most + 1) > most) {
      throw TooManyMemories(most);
    }
    // Whether they are visible is looked at here: a server may take the wrong index for it.
    const Timestamp time = clock_();
    session.find(Collection::memories, filter, what_is_read(), [&](const _bson_t* document) {
      MemoryRow row = row_of(document, space_);
      if (!expired(row.memory, time)) visit(std::move(row));
      return true;
    });
  });
}

void MongoPartitionSource::read_changes(std::span<const OwnerChange> known,
                                        const std::function<void(MemoryRow)>& changed,
                                        const std::function<void(std::string)>& removed) {
  client_.use([&](MongoSession& session) {
    for (std::size_t begin = 0; begin < known.size(); begin += kOwnersAtOnce) {
      const auto part = known.subspan(begin, std::min(kOwnersAtOnce, known.size() - begin));
      session.find(Collection::memories, changes_filter(part), what_is_read(),
                   [&](const _bson_t* document) {
                     changed(row_of(document, space_));
                     return true;
                   });
      // After the memories: what is removed between the two queries is told by this one.
      Document options, fields;
      options.set("projection", fields.set("memory_id", 1));
      session.find(Collection::history, removals_filter(part), std::move(options),
                   [&](const _bson_t* document) {
                     removed(text_field(document, "memory_id"));
                     return true;
                   });
    }
  });
}

}  // namespace maas::ltm
