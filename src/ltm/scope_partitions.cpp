#include "ltm/scope_partitions.hpp"

#include "ltm/scope_key.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

constexpr std::size_t kEntryBytes = 1024;  // about what an empty partition takes
constexpr std::chrono::seconds kAbout{5};
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kOwnerBytes = 160;  // an owner's key and change

void check_size(std::size_t memories, std::size_t most) {
  if (memories > most) throw TooManyMemories(most);
}

}  // namespace

// `reading` alone is locked while the source is asked for changes, so that who else searches the
// scope waits for the same answer, not for a second one. `bytes` belongs to the cache's mutex.
struct ScopePartitions::Entry {
  explicit Entry(std::string given_key) : key(std::move(given_key)) {}

  std::int64_t known(const std::string& owner) const {
    const auto found = seen.find(owner);
    return found == seen.end() ? 0 : found->second;
  }

  bool has(std::span<const OwnerChange> changes) const {
    return partition && std::ranges::all_of(changes, [this](const OwnerChange& each) {
             return known(each.owner) >= each.change;
           });
  }

  bool is_free_of_expired(Timestamp time) const {
    const auto expiry = partition->next_expiry();
    return !expiry || *expiry > time;
  }

  // Nothing can have changed but by other processes, and a moment ago.
  bool is_about_current(std::uint64_t own_changes) const {
    return partition && asked_after == own_changes && SteadyClock::now() - asked_at.load() < kAbout;
  }

  const std::string key;
  std::atomic<std::uint64_t> asked_after = kNever;  // so many changes of this process
  std::atomic<SteadyClock::time_point> asked_at = SteadyClock::time_point();
  std::shared_mutex reading;
  std::optional<Partition> partition;                  // none: not read yet
  std::unordered_map<std::string, std::int64_t> seen;  // by owner: its last change in the partition

  std::size_t bytes = 0;
};

ScopePartitions::ScopePartitions(ScopePartitionsOptions options, PartitionSource& source)
    : options_(std::move(options)), source_(source), entries_(options_.max_bytes) {}

ScopePartitions::~ScopePartitions() = default;

void ScopePartitions::read(std::string_view tenant, const Scope& scope, std::size_t most,
                           const Use& use) {
  const EntryPtr entry = open(tenant, scope);
  const std::uint64_t own_changes = own_changes_;
  const auto asked_at = SteadyClock::now();
  const std::vector<OwnerChange> changes = source_.last_changes(tenant, scope);
  const auto note_asked = [&] {
    entry->asked_after = own_changes;
    entry->asked_at = asked_at;
  };
  {
    const std::shared_lock reading(entry->reading);
    if (entry->has(changes) && entry->is_free_of_expired(options_.clock())) {
      note_asked();
      check_size(entry->partition->size(), most);
      use(*entry->partition);
      return;
    }
  }
  const std::unique_lock changing(entry->reading);
  bring_up_to_date(*entry, tenant, scope, most, changes);
  note_asked();
  count_bytes(entry);
  check_size(entry->partition->size(), most);
  use(*entry->partition);
}

void ScopePartitions::read_roughly(std::string_view tenant, const Scope& scope, std::size_t most,
                                   const Use& use) {
  {
    const EntryPtr entry = open(tenant, scope);
    const std::shared_lock reading(entry->reading);
    if (entry->is_about_current(own_changes_) && entry->is_free_of_expired(options_.clock())) {
      check_size(entry->partition->size(), most);
      use(*entry->partition);
      return;
    }
  }
  read(tenant, scope, most, use);
}

// The entry of a scope, which becomes the last used.
ScopePartitions::EntryPtr ScopePartitions::open(std::string_view tenant, const Scope& scope) {
  std::string key = scope_key(tenant, scope);
  const std::lock_guard lock(mutex_);
  auto entry = entries_.use(key);
  if (!entry) {
    entry = std::make_shared<Entry>(std::move(key));
    entries_.add(entry);
  }
  return entry;
}

// Another thread may have been here since the changes were asked for: then there is little to do.
void ScopePartitions::bring_up_to_date(Entry& entry, std::string_view tenant, const Scope& scope,
                                       std::size_t most, const std::vector<OwnerChange>& changes) {
  if (!entry.partition) {
    load(entry, tenant, scope, most);
  } else {
    std::vector<OwnerChange> behind;
    for (const auto& [owner, change] : changes) {
      if (entry.known(owner) < change) behind.push_back({owner, entry.known(owner)});
    }
    if (!behind.empty()) apply(entry, behind);
  }
  // What is read is at least what there was when the changes were asked for; newer changes that
  // came with it come again.
  for (const auto& [owner, change] : changes) {
    std::int64_t& seen = entry.seen[owner];
    seen = std::max(seen, change);
  }
  entry.partition->remove_expired(options_.clock());
}

void ScopePartitions::load(Entry& entry, std::string_view tenant, const Scope& scope,
                           std::size_t most) {
  Partition partition(options_.partition);
  source_.read_all(tenant, scope, most, [&](MemoryRow row) {
    partition.put(std::make_shared<const Memory>(std::move(row.memory)), row.vector);
    check_size(partition.size(), most);
  });
  entry.partition.emplace(std::move(partition));
}

// Everything is read before the first change is made: a source that fails leaves the partition as
// it was. A change that fails leaves none.
void ScopePartitions::apply(Entry& entry, std::span<const OwnerChange> known) {
  std::vector<MemoryRow> rows;
  std::vector<std::string> removed;
  source_.read_changes(
      known, [&rows](MemoryRow row) { rows.push_back(std::move(row)); },
      [&removed](std::string id) { removed.push_back(std::move(id)); });
  const Timestamp time = options_.clock();
  try {
    for (MemoryRow& row : rows) {
      // Out first: the same version may have another vector.
      entry.partition->remove(row.memory.id);
      if (expired(row.memory, time)) continue;
      entry.partition->put(std::make_shared<const Memory>(std::move(row.memory)), row.vector);
    }
    for (const std::string& id : removed) entry.partition->remove(id);
  } catch (...) {
    entry.partition.reset();
    entry.seen.clear();
    throw;
  }
}

void ScopePartitions::count_bytes(const EntryPtr& entry) {
  const std::size_t bytes =
      kEntryBytes + entry->partition->bytes() + kOwnerBytes * entry->seen.size();
  std::vector<EntryPtr> evicted;  // end after the lock
  const std::lock_guard lock(mutex_);
  evicted = entries_.count_bytes(entry, bytes);
}

}  // namespace maas::ltm
