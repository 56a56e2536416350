#pragma once

#include "core/memory.hpp"
#include "core/task.hpp"
#include "llm/embedder.hpp"
#include "ltm/caller.hpp"
#include "ltm/filter.hpp"
#include "ltm/search.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// What became of a memory, as its history tells it.
enum class Event { add, update, remove, none };
std::string_view to_string(Event event);  // "ADD", "UPDATE", "DELETE", "NOOP"
std::optional<Event> event_from(std::string_view name);

// A memory on its way into a store. The store gives it its sequence.
struct NewMemory {
  Memory memory;
  llm::Vector vector;  // of the store's model; empty: none, found by words alone
};

struct Added {
  MemoryPtr memory;      // as it is stored
  bool existed = false;  // the same text was there; nothing was stored
};

// Changes of memories that belong together.
struct Changes {
  struct Update {
    Memory changed;                     // its version is the one that it replaces
    std::optional<llm::Vector> vector;  // absent: the text has not changed
  };
  std::vector<NewMemory> added = {};
  std::vector<Update> updated = {};
  std::vector<MemoryPtr> removed = {};  // in the version that is to go
};

struct Applied {
  std::vector<Added> added = {};
  std::vector<MemoryPtr> updated = {};
};

// Memories that wait for work that no request does.
enum class Waiting {
  vector,      // none of the store's model, which has one
  extraction,  // kept verbatim because the LLM had failed
};

struct OwnedMemory {
  std::string tenant;
  MemoryPtr memory;
};

struct HistoryEntry {
  std::string id;
  std::string memory_id;
  std::optional<std::string> old_text;
  std::optional<std::string> new_text;
  Event event = Event::add;
  Timestamp created_at{};  // of the memory
  Timestamp updated_at{};  // when this happened
};

// Where a listing goes on: after the memory of this time and sequence.
struct ListPosition {
  Timestamp created_at{};
  std::int64_t sequence = 0;
};

struct ListQuery {
  std::optional<Category> category = {};
  std::optional<Filter> filter = {};
  std::optional<ListPosition> after = {};
  std::size_t limit = 100;
};

// Keeps memories with their vectors and their history. Everything happens inside one tenant;
// nothing of another is ever seen or changed. Thread-safe.
// A memory that has expired is invisible to every function but the ones that remove it. A change
// and its history entry are stored together or not at all, and are durable and searchable when the
// function returns. Functions throw Error{unavailable} when the engine can't be reached; nothing
// has been changed then, unless the text of the error says that it is unknown.
class MemoryStore {
 public:
  virtual ~MemoryStore() = default;

  virtual std::string_view engine() const = 0;  // "sqlite"
  // What who runs it should know while it serves; may be empty.
  virtual std::string note() const { return {}; }

  // Stores in one commit, in order. A memory whose folded text is already there in the same scope
  // and category, also by an earlier one of the list, is not stored again.
  virtual Task<std::vector<Added>> add(Caller caller, std::vector<NewMemory> memories) = 0;

  // Null: unknown.
  virtual Task<MemoryPtr> get(Caller caller, std::string_view id) = 0;

  // Newest first.
  virtual Task<std::vector<MemoryPtr>> list(Caller caller, const Scope& scope,
                                            const ListQuery& query) = 0;

  // Replaces text, metadata, category, speaker, times and vector of the memory of `changed`'s id,
  // if its version is still `changed.version`, which then rises by one. An absent vector keeps the
  // stored one: the text has not changed. Null, and nothing changed, if the memory is gone or
  // another version. Updated to the text of another memory, both stay.
  virtual Task<MemoryPtr> update(Caller caller, const Memory& changed,
                                 std::optional<llm::Vector> vector) = 0;

  // Makes all changes in one commit, as add(), update() and remove() do. Nullopt, and nothing
  // changed, if a memory to be updated or removed is gone or another version.
  virtual Task<std::optional<Applied>> apply(Caller caller, Changes changes) = 0;

  // Removes in one commit; says for each id whether it was there.
  virtual Task<std::vector<bool>> remove(Caller caller, std::span<const std::string> ids) = 0;

  // Removes everything in the scope, expired or not; the number of memories that were visible.
  virtual Task<std::size_t> remove_scope(Caller caller, const Scope& scope) = 0;

  // Removes what has expired; its ids.
  virtual Task<std::vector<std::string>> remove_expired(Caller caller) = 0;

  // Oldest first; empty for an id that never was.
  virtual Task<std::vector<HistoryEntry>> history(Caller caller, std::string_view id) = 0;

  // The names of those who speak in a scope's memories (retrieval step 2): a query is embedded
  // from their point of view.
  virtual Task<std::vector<std::string>> speakers(Caller caller, const Scope& scope) = 0;

  // Best first.
  virtual Task<std::vector<SearchHit>> search(Caller caller, const Scope& scope,
                                              const SearchQuery& query) = 0;

  // The visible memories whose vectors are nearest to `vector`, the nearest first.
  virtual Task<std::vector<Neighbour>> nearest(Caller caller, const Scope& scope,
                                               const llm::Vector& vector, std::size_t limit) = 0;

  // Removes a part of what has expired, of all tenants. False: nothing is left to remove.
  virtual Task<bool> sweep() = 0;

  // Visible memories of all tenants that wait, whose sequence is above `after`, in its order.
  virtual Task<std::vector<OwnedMemory>> waiting(Waiting what, std::int64_t after,
                                                 std::size_t limit) = 0;

  // Gives each memory its vector, but not to one that is gone or another version; version and
  // history stay. The number of those that got theirs.
  virtual Task<std::size_t> set_vectors(Caller caller, std::vector<MemoryPtr> memories,
                                        std::vector<llm::Vector> vectors) = 0;

  // Why it can't serve; nullopt: it can.
  virtual Task<std::optional<std::string>> problem() = 0;
};

}  // namespace maas::ltm
