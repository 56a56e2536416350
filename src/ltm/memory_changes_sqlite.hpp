#pragma once

#include "ltm/memory_rows_sqlite.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/partition_cache.hpp"
#include "ltm/same_text.hpp"
#include "sqlite/database.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// The changes of one transaction to a tenant's memories, with their history. Notes in `announced`
// what partitions have to be told. Borrows its arguments.
class MemoryChanger {
 public:
  MemoryChanger(const VectorSpace& space, std::string_view tenant, Timestamp time,
                std::vector<PartitionChange>& announced)
      : space_(space), tenant_(tenant), time_(time), announced_(announced) {}

  Added add(sqlite::Connection& connection, NewMemory&& added, const Folded& folded) const;

  // As MemoryStore::update(); `folded` is the new text.
  MemoryPtr update(sqlite::Connection& connection, const Memory& changed, const std::string& folded,
                   std::optional<llm::Vector>& vector) const;

  // Whether what is to be updated or removed is there, visible, and the version that it should be.
  bool are_current(sqlite::Connection& connection, const Changes& changes) const;

  // False: the memory is gone, or another version.
  bool set_vector(sqlite::Connection& connection, const Memory& memory, llm::Vector& vector) const;

  // Whether a memory was there and visible.
  bool remove(sqlite::Connection& connection, std::string_view id) const;

  // Goes on with what has been removed from the table of memories. Whether it was visible.
  bool forget(sqlite::Connection& connection, Memory&& removed) const;

  MemoryRows rows_of(sqlite::Connection& connection) const { return {connection, tenant_, space_}; }

 private:
  void announce(MemoryPtr memory, llm::Vector vector) const;
  void announce_removal(MemoryPtr memory) const;

  const VectorSpace& space_;
  std::string_view tenant_;
  Timestamp time_;
  std::vector<PartitionChange>& announced_;
};

}  // namespace maas::ltm
