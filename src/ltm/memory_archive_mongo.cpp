#include "ltm/memory_archive.hpp"
#include "ltm/memory_bson.hpp"
#include "ltm/memory_changes_mongo.hpp"
#include "ltm/mongo_queries.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace maas::ltm {
namespace {

// Memories in one transaction: with vectors far below what a server takes in one.
constexpr std::size_t kWrittenAtOnce = 100;

using Key = std::pair<std::string, std::string>;  // tenant and id

class MongoMemoryArchive final : public MemoryArchive {
 public:
  MongoMemoryArchive(MongoOptions server, VectorSpace space)
      : client_(std::move(server)), space_(std::move(space)) {}

  ArchivePart read(const ArchivePosition& after, std::size_t limit) override {
    ArchivePart part;
    client_.use([&](MongoSession& session) {
      part = {.last = after};
      if (!after.memories_are_read) read_memories(session, after.sequence, limit, part);
      if (part.memories.empty()) {
        part.last.memories_are_read = true;
        read_gone(session, after, limit, part);
      }
      read_history(session, part.memories);
    });
    return part;
  }

  std::optional<ArchivePosition> position_of(const ArchivedMemory& last) override {
    if (last.is_gone) {
      return ArchivePosition{
          .memories_are_read = true, .tenant = last.tenant, .id = last.memory.id};
    }
    const std::string ids[] = {last.memory.id};
    std::optional<ArchivePosition> position;
    client_.use([&](MongoSession& session) {
      session.find(Collection::memories, ids_filter(last.tenant, ids), without_vectors(),
                   [&position](const _bson_t* document) {
                     position = ArchivePosition{.sequence = memory_of(document).sequence};
                     return false;
                   });
    });
    return position;
  }

  Imported write(std::span<const ArchivedMemory> memories) override {
    Imported imported;
    while (!memories.empty()) {
      // Of one tenant, since a change is. A memory may come again, as it was before it was removed
      // and as it is since: what is there of it is known only behind the first one's transaction.
      std::set<std::string_view> ids;
      std::size_t count = 0;
      while (count < std::min(memories.size(), kWrittenAtOnce) &&
             memories[count].tenant == memories[0].tenant &&
             ids.insert(memories[count].memory.id).second) {
        ++count;
      }
      const Imported part = write_some(memories.first(count));
      imported.stored += part.stored;
      imported.known += part.known;
      imported.newer += part.newer;
      imported.kept += part.kept;
      imported.unvectored += part.unvectored;
      memories = memories.subspan(count);
    }
    return imported;
  }

 private:
  static void read_memories(MongoSession& session, std::int64_t after, std::size_t limit,
                            ArchivePart& part) {
    session.find(Collection::memories, arrived_after(after), whole_in_order_of_arrival(limit),
                 [&part](const _bson_t* document) {
                   ArchivedMemory& archived = part.memories.emplace_back();
                   archived.tenant = text_field(document, "tenant");
                   archived.memory = memory_of(document);
                   archived.model = text_field(document, "model");
                   archived.vector = vector_field(document);
                   part.last.sequence = archived.memory.sequence;
                   return true;
                 });
  }

  static void read_gone(MongoSession& session, const ArchivePosition& after, std::size_t limit,
                        ArchivePart& part) {
    session.find(Collection::history, removed_after(after.tenant, after.id), by_memory(limit),
                 [&part](const _bson_t* document) {
                   ArchivedMemory& archived = part.memories.emplace_back();
                   archived.is_gone = true;
                   archived.tenant = part.last.tenant = text_field(document, "tenant");
                   archived.memory.id = part.last.id = text_field(document, "memory_id");
                   return true;
                 });
  }

  static void read_history(MongoSession& session, std::vector<ArchivedMemory>& memories) {
    std::map<std::string, std::vector<std::string>> ids;
    std::map<Key, ArchivedMemory*> by_key;
    for (ArchivedMemory& each : memories) {
      ids[each.tenant].push_back(each.memory.id);
      by_key[{each.tenant, each.memory.id}] = &each;
    }
    for (const auto& [tenant, of_tenant] : ids) {
      session.find(Collection::history, history_filter(tenant, of_tenant), by_memory(0),
                   [&](const _bson_t* document) {
                     HistoryEntry entry = history_entry_of(document);
                     by_key.at({tenant, entry.memory_id})->history.push_back(std::move(entry));
                     return true;
                   });
    }
  }

  Imported write_some(std::span<const ArchivedMemory> memories) {
    const std::string& tenant = memories.front().tenant;
    const auto count = static_cast<std::int64_t>(memories.size());
    std::int64_t last = 0;
    client_.use([&](MongoSession& session) {
      last = session.increment(Collection::owners, kSequence, count);
    });
    Imported imported;
    client_.transact([&](MongoSession& session) {
      imported = {};
      MongoChanges changes(session, space_, tenant, now());
      std::vector<ArchivedMemory> known = stored(session, changes, memories);
      std::vector<const ArchivedMemory*> missing;
      for (std::size_t i = 0; i < memories.size(); ++i) {
        if (known[i].history.empty() && known[i].memory.id.empty()) {
          missing.push_back(&memories[i]);
          continue;
        }
        known[i].is_gone = known[i].memory.id.empty();
        count_known(memories[i], known[i], imported);
      }
      changes.restore(missing, last - count + 1);
      imported.stored = missing.size();
      for (const ArchivedMemory* each : missing) {
        const bool is_of_model = keeps_vector(*each, space_) && each->model == space_.model;
        if (!each->is_gone && !is_of_model) ++imported.unvectored;
      }
    });
    return imported;
  }

  // What is there of each: a memory without an id, and without history if nothing is.
  static std::vector<ArchivedMemory> stored(MongoSession& session, MongoChanges& changes,
                                            std::span<const ArchivedMemory> memories) {
    std::vector<std::string> ids;
    std::vector<ArchivedMemory> looked_for;
    for (const ArchivedMemory& each : memories) {
      ids.push_back(each.memory.id);
      looked_for.push_back({.tenant = each.tenant, .memory = {.id = each.memory.id}});
    }
    read_history(session, looked_for);
    const MongoChanges::Memories found = changes.find(ids);
    for (ArchivedMemory& each : looked_for) {
      const auto memory = found.find(each.memory.id);
      each.memory = memory == found.end() ? Memory() : memory->second;
    }
    return looked_for;
  }

  MongoClient client_;
  VectorSpace space_;
};

}  // namespace

std::unique_ptr<MemoryArchive> make_mongo_memory_archive(MongoOptions server, VectorSpace space) {
  return std::make_unique<MongoMemoryArchive>(std::move(server), std::move(space));
}

}  // namespace maas::ltm
