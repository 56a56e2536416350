#include "ltm/memory_changes_mongo.hpp"

#include "core/error.hpp"
#include "ltm/memory_bson.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/mongo_queries.hpp"
#include "ltm/scope_key.hpp"
#include "text/folding.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

namespace maas::ltm {
namespace {

// Texts in one filter: it has to stay far below 16 MB.
constexpr std::size_t kAtOnce = 1000;

template <class T, class Visit>
void in_parts(std::span<const T> all, Visit visit) {
  for (std::size_t begin = 0; begin < all.size(); begin += kAtOnce) {
    visit(all.subspan(begin, std::min(kAtOnce, all.size() - begin)));
  }
}

MemoryPtr shared(Memory memory) { return std::make_shared<const Memory>(std::move(memory)); }

}  // namespace

MongoChanges::Memories MongoChanges::find(std::span<const std::string> ids) {
  Memories found;
  in_parts(ids, [&](std::span<const std::string> part) {
    session_.find(Collection::memories, ids_filter(tenant_, part), without_vectors(),
                  [&found](const _bson_t* document) {
                    Memory memory = memory_of(document);
                    std::string id = memory.id;
                    found.emplace(std::move(id), std::move(memory));
                    return true;
                  });
  });
  return found;
}

std::vector<Memory> MongoChanges::find(const Document& filter, std::size_t limit) {
  std::vector<Memory> found;
  Document options = without_vectors();
  options.set("limit", static_cast<std::int64_t>(limit));
  session_.find(Collection::memories, filter, std::move(options),
                [&found](const _bson_t* document) {
                  found.push_back(memory_of(document));
                  return true;
                });
  return found;
}

bool MongoChanges::is_current(const Memories& stored, const Memory& memory) const {
  const auto found = stored.find(memory.id);
  return found != stored.end() && !expired(found->second, time_) &&
         found->second.version == memory.version;
}

// Counts a change of each memory's owner, once in a transaction.
void MongoChanges::count(std::span<const Memory* const> changed) {
  std::map<std::string, const Memory*> memories;
  for (const Memory* memory : changed) {
    std::string owner = scope_key(tenant_, memory->scope);
    if (!changes_.contains(owner)) memories.emplace(std::move(owner), memory);
  }
  if (memories.empty()) return;
  std::vector<Owner> owners;
  for (const auto& [owner, memory] : memories) {
    owners.push_back({owner, scope_filter(tenant_, memory->scope)});
  }
  changes_.merge(session_.count_changes(owners));
}

std::int64_t MongoChanges::change_of(const Memory& memory) const {
  const auto found = changes_.find(scope_key(tenant_, memory.scope));
  if (found == changes_.end()) {
    throw Error(Errc::internal, "Internal Server Error", "MongoDB lost the owner of a memory");
  }
  return found->second;
}

std::vector<Added> MongoChanges::add(std::span<const NewMemory> memories,
                                     std::span<const Folded> folded, std::int64_t first) {
  // What says the same, by digest: first what is stored, oldest first, then what is added here.
  std::unordered_map<std::string, std::vector<MemoryPtr>> known;
  in_parts(folded, [&](std::span<const Folded> part) {
    std::vector<std::string> digests;
    for (const Folded& each : part) digests.push_back(each.digest);
    session_.find(Collection::memories, same_text_filter(tenant_, digests), in_order_of_arrival(0),
                  [&](const _bson_t* document) {
                    Memory memory = memory_of(document);
                    if (expired(memory, time_) || rewritten_.contains(memory.id)) return true;
                    known[text_field(document, "digest")].push_back(shared(std::move(memory)));
                    return true;
                  });
  });
  for (const auto& [id, as] : rewritten_) {
    if (as.memory) known[as.digest].push_back(as.memory);
  }
  std::vector<Added> added;
  std::vector<const Memory*> stored;
  std::vector<std::size_t> indices;  // theirs
  for (std::size_t i = 0; i < memories.size(); ++i) {
    std::vector<MemoryPtr>& alike = known[hexadecimal(folded[i].digest)];
    const auto same = std::ranges::find_if(alike, [&](const MemoryPtr& other) {
      return says_the_same(*other, memories[i].memory, folded[i].text);
    });
    if (same != alike.end()) {
      added.push_back({.memory = *same, .existed = true});
      continue;
    }
    Memory memory = memories[i].memory;
    memory.sequence = first + static_cast<std::int64_t>(i);
    added.push_back({.memory = shared(std::move(memory))});
    alike.push_back(added.back().memory);
    stored.push_back(added.back().memory.get());
    indices.push_back(i);
  }
  count(stored);
  std::vector<Document> documents, history;
  for (std::size_t n = 0; n < stored.size(); ++n) {
    const Memory& memory = *stored[n];
    const std::size_t i = indices[n];
    const std::int64_t change = change_of(memory);
    documents.push_back(
        memory_document(tenant_, memory, folded[i].digest, change, memories[i].vector, space_));
    history.push_back(history_document(tenant_, memory, nullptr, &memory.text, Event::add,
                                       memory.updated_at, change));
  }
  session_.insert(Collection::memories, documents);
  session_.insert(Collection::history, history);
  return added;
}

std::vector<MemoryPtr> MongoChanges::update(const Memories& stored,
                                            std::span<const Changes::Update> updates,
                                            std::span<const std::string> folded) {
  std::vector<const Memory*> changed;
  for (const auto& [memory, vector] : updates) changed.push_back(&stored.find(memory.id)->second);
  count(changed);
  std::vector<MemoryPtr> updated;
  std::vector<MongoSession::Update> written;
  std::vector<Document> history;
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const Memory& before = *changed[i];
    Memory next = updates[i].changed;
    next.scope = before.scope;
    next.sequence = before.sequence;
    ++next.version;
    const std::int64_t change = change_of(next);
    const std::string digest = digest_of(next.scope, next.category, folded[i]);
    Document filter;
    filter.set("_id", document_id(tenant_, next.id)).set("version", before.version);
    written.push_back(
        {std::move(filter), memory_update(next, digest, change, updates[i].vector, space_)});
    history.push_back(history_document(tenant_, next, &before.text, &next.text, Event::update,
                                       next.updated_at, change));
    updated.push_back(shared(std::move(next)));
    rewritten_[updated.back()->id] = {updated.back(), hexadecimal(digest)};
  }
  if (session_.update(Collection::memories, written) != written.size()) {
    throw lost_race("a memory changed inside the transaction that had read it");
  }
  session_.insert(Collection::history, history);
  return updated;
}

void MongoChanges::remove(std::span<const Memory> memories) {
  std::vector<const Memory*> removed;
  std::vector<std::string> ids;
  for (const Memory& memory : memories) {
    removed.push_back(&memory);
    ids.push_back(memory.id);
    rewritten_[memory.id] = {};
  }
  count(removed);
  in_parts(std::span<const std::string>(ids), [this](std::span<const std::string> part) {
    session_.remove(Collection::memories, ids_filter(tenant_, part));
  });
  std::vector<Document> history;
  for (const Memory& memory : memories) {
    history.push_back(history_document(tenant_, memory, &memory.text, nullptr, Event::remove, time_,
                                       change_of(memory)));
  }
  session_.insert(Collection::history, history);
}

void MongoChanges::restore(std::span<const ArchivedMemory* const> memories, std::int64_t first) {
  std::vector<const Memory*> stored;
  for (const ArchivedMemory* each : memories) {
    if (!each->is_gone) stored.push_back(&each->memory);
  }
  count(stored);
  std::vector<Document> documents, history;
  for (const ArchivedMemory* each : memories) {
    Memory memory = each->memory;
    std::int64_t change = 0;
    std::int64_t version = 1;
    if (!each->is_gone) {
      change = change_of(memory);
      version = memory.version - static_cast<std::int64_t>(each->history.size()) + 1;
      memory.sequence = first++;
      const bool has_vector = keeps_vector(*each, space_);
      documents.push_back(memory_document(
          tenant_, memory, digest_of(memory.scope, memory.category, text::folded_line(memory.text)),
          change, has_vector ? each->vector : llm::Vector(), {each->model, each->vector.size()}));
    }
    for (const HistoryEntry& entry : each->history) {
      history.push_back(history_document(tenant_, memory.scope, entry, version++, change));
    }
  }
  session_.insert(Collection::memories, documents);
  session_.insert(Collection::history, history);
}

std::size_t MongoChanges::set_vectors(std::span<const MemoryPtr> memories,
                                      std::span<const llm::Vector> vectors) {
  std::vector<std::string> ids;
  for (const MemoryPtr& memory : memories) ids.push_back(memory->id);
  const Memories stored = find(ids);
  std::vector<const Memory*> changed;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const auto found = stored.find(memories[i]->id);
    if (found == stored.end() || found->second.version != memories[i]->version) continue;
    changed.push_back(&found->second);
    indices.push_back(i);
  }
  count(changed);
  std::vector<MongoSession::Update> updates;
  for (std::size_t n = 0; n < changed.size(); ++n) {
    Document filter;
    filter.set("_id", document_id(tenant_, changed[n]->id));
    updates.push_back(
        {std::move(filter), vector_update(change_of(*changed[n]), vectors[indices[n]], space_)});
  }
  session_.update(Collection::memories, updates);
  return updates.size();
}

}  // namespace maas::ltm
