#pragma once

#include "core/memory.hpp"
#include "llm/embedder.hpp"
#include "ltm/memory_row.hpp"
#include "ltm/memory_store.hpp"
#include "sqlite/database.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// The rows of one tenant's memories and of their history, for one transaction. Borrows connection
// and space. Sees what has expired too, unless it is told a time.
class MemoryRows {
 public:
  MemoryRows(sqlite::Connection& connection, std::string_view tenant, const VectorSpace& space)
      : connection_(connection), tenant_(tenant), space_(space) {}

  // Stores a memory and gives it its sequence. `digest` is its digest_of().
  void insert(Memory& memory, const std::string& digest, const llm::Vector& vector);

  // Stores the memory in place of that of its id; without a vector, that stays as it is.
  void update(const Memory& memory, const std::string& digest,
              const std::optional<llm::Vector>& vector);

  void set_vector(std::string_view id, const llm::Vector& vector);

  std::optional<MemoryRow> find(std::string_view id);

  // The oldest memory visible at `now` that has this one's owner and category and folded text.
  std::optional<Memory> find_same(const Memory& memory, const std::string& digest,
                                  std::string_view folded, Timestamp now);

  std::optional<Memory> remove(std::string_view id);

  // Removes up to `limit` memories in the scope whose sequence is at most `last`.
  std::vector<Memory> remove_scope(const Scope& scope, std::int64_t last, std::size_t limit);

  // Removes up to `limit` memories that have expired at `now`.
  std::vector<Memory> remove_expired(Timestamp now, std::size_t limit);

  // Calls `visit` with the memories in the scope that are visible at `now`, newest first, until it
  // says false. `category` and `after` as in ListQuery. False: there was more to look at than
  // `max_rows` rows.
  bool visit_newest(const Scope& scope, Timestamp now, std::optional<Category> category,
                    std::optional<ListPosition> after, std::size_t max_rows,
                    const std::function<bool(Memory)>& visit);

  // Calls `visit` with all of them and their vectors, oldest first.
  void visit_all(const Scope& scope, Timestamp now, const std::function<void(MemoryRow)>& visit);

  // Adds to the history what became of a memory at `time`. A null text: there is none.
  void insert_history(const Memory& memory, const std::string* old_text,
                      const std::string* new_text, Event event, Timestamp time);

  // Oldest first.
  std::vector<HistoryEntry> history(std::string_view memory_id);

 private:
  sqlite::Connection& connection_;
  std::string tenant_;
  const VectorSpace& space_;
};

// The largest sequence that any memory has had; 0: there was none.
std::int64_t last_sequence(sqlite::Connection& connection);

// As MemoryStore::waiting(), at `now`.
std::vector<OwnedMemory> waiting_memories(sqlite::Connection& connection, Waiting what,
                                          const VectorSpace& space, Timestamp now,
                                          std::int64_t after, std::size_t limit);

// A tenant that has memories which have expired at `now`.
std::optional<std::string> tenant_to_sweep(sqlite::Connection& connection, Timestamp now);

}  // namespace maas::ltm
