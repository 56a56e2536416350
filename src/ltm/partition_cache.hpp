#pragma once

#include "core/memory.hpp"
#include "llm/embedder.hpp"
#include "ltm/entries_by_use.hpp"
#include "ltm/partition.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// What a commit did to one memory.
struct PartitionChange {
  std::string tenant = {};
  MemoryPtr memory = {};    // the new version, or the one that was removed
  llm::Vector vector = {};  // of the new version; empty: none
  bool removed = false;
};

struct PartitionCacheOptions {
  std::size_t max_bytes = 256u << 20;
  std::size_t small = 2'000;  // memories; a partition so small is searched within a millisecond
  PartitionOptions partition = {};
  std::function<Timestamp()> clock = now;  // tells what has expired
};

// The partitions of the scopes that were searched last, each built from the store on first use.
// Thread-safe.
//
// A partition never misses a change: it is known here before its loader looks at the store, and
// publish() hands every known partition each change after its commit, in the order of commits. So
// a change is in what the loader sees, or in the partition's queue, or in both: then the queue ends
// with the same state that the loader saw or a newer one, as an older version changes nothing and
// a removal comes last. Every reader first applies what its partition's queue holds,
// and removes what has expired.
//
// The index that a large partition wants is built on a thread of its own, beside the searches.
class PartitionCache {
 public:
  // Puts every memory of a scope that the store holds into a partition, oldest first. Called on
  // the thread that needs the partition; what it throws reaches that caller.
  using Loader =
      std::function<void(std::string_view tenant, const Scope& scope, Partition& partition)>;
  using Use = std::function<void(const Partition& partition)>;

  PartitionCache(PartitionCacheOptions options, Loader loader);
  ~PartitionCache();

  // Announces committed changes, from one thread at a time and in the order of commits.
  void publish(std::span<const PartitionChange> changes) noexcept;

  // Applies what was announced for the loaded partitions that these changes belong to, so that the
  // next reader needn't.
  void settle(std::span<const PartitionChange> changes);

  // Calls `use` with the partition of a scope, up to date and unchanged meanwhile. Blocks while
  // the partition is loaded.
  void read(std::string_view tenant, const Scope& scope, const Use& use);

  // The same for an event loop: they never wait for another thread, and do no more than about a
  // millisecond's work. False: there is more to do (`use` was not called); settle() and read() do
  // it elsewhere.
  bool try_settle(std::span<const PartitionChange> changes);
  bool try_read(std::string_view tenant, const Scope& scope, const Use& use);

 private:
  struct Entry;
  using Entries = std::vector<std::shared_ptr<Entry>>;
  enum class Effort { little, any };

  std::shared_ptr<Entry> find(const std::string& key);
  std::shared_ptr<Entry> open(std::string_view tenant, const Scope& scope);
  Entries holding(std::string_view tenant, const Scope& owner);
  bool settle_all(std::span<const PartitionChange> changes, Effort effort);
  bool bring_up_to_date(const std::shared_ptr<Entry>& entry, Effort effort);
  void load(Entry& entry);
  bool apply_queue(Entry& entry);
  void fail(Entry& entry);
  void index_later(const std::weak_ptr<Entry>& entry);
  void index_more(const std::weak_ptr<Entry>& entry);
  void count_bytes(const std::shared_ptr<Entry>& entry, std::size_t bytes);

  const PartitionCacheOptions options_;
  const Loader loader_;
  std::mutex mutex_;  // of the entries
  EntriesByUse<Entry> entries_;
  boost::asio::thread_pool indexer_{1};  // ends first: it uses the rest
};

}  // namespace maas::ltm
