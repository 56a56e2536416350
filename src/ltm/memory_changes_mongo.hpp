#pragma once

#include "ltm/memory_archive.hpp"
#include "ltm/memory_row.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/same_text.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// The changes of one transaction to a tenant's memories, with their history. Borrows its arguments.
// Every owner whose memories change is counted (PartitionSource): two transactions that change
// memories of one owner write the same document, so that one of them begins anew. That keeps
// the same text from being stored twice, too. Without a transaction it is the owner's lease that
// does (LeasedChanges).
class MongoChanges {
 public:
  using Memories = std::map<std::string, Memory, std::less<>>;  // by id

  MongoChanges(MongoSession& session, const VectorSpace& space, std::string_view tenant,
               Timestamp time)
      : session_(session), space_(space), tenant_(tenant), time_(time) {}

  // What the collection holds of these ids, expired or not.
  Memories find(std::span<const std::string> ids);

  // Up to `limit` memories that a filter finds.
  std::vector<Memory> find(const Document& filter, std::size_t limit);

  // The memories get the sequences from `first` on.
  std::vector<Added> add(std::span<const NewMemory> memories, std::span<const Folded> folded,
                         std::int64_t first);

  // `stored` holds those that are replaced; `folded` are the new texts.
  std::vector<MemoryPtr> update(const Memories& stored, std::span<const Changes::Update> updates,
                                std::span<const std::string> folded);

  // Removes what the collection holds.
  void remove(std::span<const Memory> memories);

  // Stores memories that are not there, with the history that they had elsewhere. They get the
  // sequences from `first` on.
  void restore(std::span<const ArchivedMemory* const> memories, std::int64_t first);

  // How many of these versions are there and got their vectors.
  std::size_t set_vectors(std::span<const MemoryPtr> memories,
                          std::span<const llm::Vector> vectors);

  // Whether `memory` is there, visible, and of this version.
  bool is_current(const Memories& stored, const Memory& memory) const;

 private:
  // What was stored before this change, as it is after it; no memory: it is gone. A session without
  // a transaction does not find what it writes.
  struct Rewritten {
    MemoryPtr memory;
    std::string digest;  // in digits
  };

  void count(std::span<const Memory* const> changed);
  std::int64_t change_of(const Memory& memory) const;

  MongoSession& session_;
  const VectorSpace& space_;
  std::string_view tenant_;
  Timestamp time_;
  std::map<std::string, std::int64_t> changes_;  // of the owners that were counted
  std::map<std::string, Rewritten> rewritten_;   // by id
};

}  // namespace maas::ltm
