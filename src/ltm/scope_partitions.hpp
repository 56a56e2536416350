#pragma once

#include "core/memory.hpp"
#include "core/time.hpp"
#include "ltm/entries_by_use.hpp"
#include "ltm/partition.hpp"
#include "ltm/partition_source.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace maas::ltm {

struct ScopePartitionsOptions {
  std::size_t max_bytes = 256u << 20;
  PartitionOptions partition = {};
  std::function<Timestamp()> clock = now;  // tells what has expired
};

// The partitions of the scopes that were searched last, of a store that other processes write to as
// well. Thread-safe; read() blocks.
//
// A partition is never trusted: each read first asks the source for the last change of every owner
// in the scope, one small query. Where it has all of them, it is what any process has committed
// before that read began, and is searched as it is; else only what changed since is read. Counting
// by owner, not by scope, lets writers of different owners go on beside each other, though an agent
// or a session be theirs in common; the price is a query that grows with the number of owners in
// a scope.
class ScopePartitions {
 public:
  using Use = std::function<void(const Partition& partition)>;

  // Borrows the source.
  ScopePartitions(ScopePartitionsOptions options, PartitionSource& source);
  ~ScopePartitions();

  // Calls `use` with the partition of a scope, up to date and unchanged meanwhile. Throws what the
  // source throws, and TooManyMemories for a scope of more than `most`.
  void read(std::string_view tenant, const Scope& scope, std::size_t most, const Use& use);

  // The same for what may miss what other processes did in the last seconds, not this one: mostly
  // without a question to the source.
  void read_roughly(std::string_view tenant, const Scope& scope, std::size_t most, const Use& use);

  // This process has committed changes.
  void note_change() noexcept { ++own_changes_; }

 private:
  using SteadyClock = std::chrono::steady_clock;
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;

  EntryPtr open(std::string_view tenant, const Scope& scope);
  void bring_up_to_date(Entry& entry, std::string_view tenant, const Scope& scope, std::size_t most,
                        const std::vector<OwnerChange>& changes);
  void load(Entry& entry, std::string_view tenant, const Scope& scope, std::size_t most);
  void apply(Entry& entry, std::span<const OwnerChange> known);
  void count_bytes(const EntryPtr& entry);

  const ScopePartitionsOptions options_;
  PartitionSource& source_;
  std::atomic<std::uint64_t> own_changes_ = 0;
  std::mutex mutex_;  // of the entries
  EntriesByUse<Entry> entries_;
};

}  // namespace maas::ltm
