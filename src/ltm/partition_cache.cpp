#include "ltm/partition_cache.hpp"

#include "core/log.hpp"
#include "ltm/scope_key.hpp"
#include "trace/metrics.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <shared_mutex>
#include <utility>

namespace maas::ltm {
namespace {

constexpr std::size_t kFewChanges = 16;     // are applied within about a millisecond
constexpr std::size_t kIndexedAtOnce = 16;  // vectors; some milliseconds
constexpr std::size_t kEntryBytes = 1024;   // about what an empty partition takes

void count_lookup(std::string_view result) {
  trace::metrics().cache_lookups.add(1, {"partitions", result});
}

// Calls `visit(changes)` for every run of changes to the memories of one owner.
template <class Visit>
void for_each_owner(std::span<const PartitionChange> changes, Visit visit) {
  while (!changes.empty()) {
    const PartitionChange& first = changes.front();
    const auto other = std::ranges::find_if(changes, [&](const PartitionChange& change) {
      return change.tenant != first.tenant || change.memory->scope != first.memory->scope;
    });
    const auto run = static_cast<std::size_t>(other - changes.begin());
    visit(changes.first(run));
    changes = changes.subspan(run);
  }
}

}  // namespace

// Locks are taken in the order `changing`, `reading`, then `queue_mutex` or the cache's mutex.
//
// `reading` prefers readers, as glibc makes it. No change starves nevertheless: while one waits in
// the queue, whoever wants to read goes through `changing` first, so the one thread that holds it
// waits only for those who read already. What is in the queue leaves it under `reading`: who finds
// the queue empty either reads behind the changes, or waits until they are applied.
struct PartitionCache::Entry {
  enum class State { unloaded, ready, failed };

  Entry(std::string given_key, std::string_view given_tenant, Scope given_scope,
        const PartitionOptions& options)
      : key(std::move(given_key)),
        tenant(given_tenant),
        scope(std::move(given_scope)),
        partition(options) {}

  std::size_t queued() {
    const std::lock_guard lock(queue_mutex);
    return queue.size() + (index_waits ? 1 : 0);
  }

  const std::string key;
  const std::string tenant;
  const Scope scope;

  std::mutex changing;        // held while the partition is loaded or changed
  std::shared_mutex reading;  // of the partition once it is loaded
  Partition partition;
  std::atomic<State> state = State::unloaded;
  std::atomic<std::size_t> size = 0;  // memories in the partition
  std::atomic<Timestamp> next_expiry = Timestamp::max();

  std::mutex queue_mutex;
  std::vector<PartitionChange> queue;  // announced, not yet applied
  bool index_waits = false;            // to be taken into use; a change as any other

  bool indexing = false;  // its index is being built; changed under `reading`

  std::size_t bytes = 0;  // as the cache counts it, under its mutex; 0: it is being loaded
};

PartitionCache::PartitionCache(PartitionCacheOptions options, Loader loader)
    : options_(std::move(options)), loader_(std::move(loader)), entries_(options_.max_bytes) {}

PartitionCache::~PartitionCache() = default;

void PartitionCache::publish(std::span<const PartitionChange> changes) noexcept {
  for_each_owner(changes, [this](std::span<const PartitionChange> run) {
    for (const auto& entry : holding(run.front().tenant, run.front().memory->scope)) {
      const std::lock_guard lock(entry->queue_mutex);
      entry->queue.insert(entry->queue.end(), run.begin(), run.end());
    }
  });
}

void PartitionCache::settle(std::span<const PartitionChange> changes) {
  settle_all(changes, Effort::any);
}

bool PartitionCache::try_settle(std::span<const PartitionChange> changes) {
  return settle_all(changes, Effort::little);
}

// Leaves alone what isn't loaded yet: its loader applies the queue.
bool PartitionCache::settle_all(std::span<const PartitionChange> changes, Effort effort) {
  bool settled = true;
  for_each_owner(changes, [&](std::span<const PartitionChange> run) {
    for (const auto& entry : holding(run.front().tenant, run.front().memory->scope)) {
      if (entry->state != Entry::State::ready) continue;
      if (!bring_up_to_date(entry, effort)) settled = false;
    }
  });
  return settled;
}

void PartitionCache::read(std::string_view tenant, const Scope& scope, const Use& use) {
  while (true) {
    const auto entry = open(tenant, scope);
    if (!bring_up_to_date(entry, Effort::any)) continue;
    const std::shared_lock reading(entry->reading);
    if (entry->state != Entry::State::ready) continue;
    use(entry->partition);
    return;
  }
}

bool PartitionCache::try_read(std::string_view tenant, const Scope& scope, const Use& use) {
  const auto entry = find(scope_key(tenant, scope));
  if (!entry || !bring_up_to_date(entry, Effort::little)) return false;
  const std::shared_lock reading(entry->reading, std::try_to_lock);
  if (!reading || entry->state != Entry::State::ready) return false;
  if (entry->size > options_.small) return false;
  use(entry->partition);
  count_lookup("hit");
  return true;
}

// The known entry of `key`, which becomes the last used; null if there is none.
std::shared_ptr<PartitionCache::Entry> PartitionCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return entries_.use(key);
}

std::shared_ptr<PartitionCache::Entry> PartitionCache::open(std::string_view tenant,
                                                            const Scope& scope) {
  std::string key = scope_key(tenant, scope);
  if (auto entry = find(key)) {
    count_lookup("hit");
    return entry;
  }
  count_lookup("miss");
  auto entry = std::make_shared<Entry>(std::move(key), tenant, scope, options_.partition);
  const std::lock_guard lock(mutex_);
  if (auto known = entries_.find(entry->key)) return known;  // another thread was faster
  entries_.add(entry);
  return entry;
}

// The known partitions that hold the memories of `owner`: of every scope that gives some of its
// ids.
PartitionCache::Entries PartitionCache::holding(std::string_view tenant, const Scope& owner) {
  Entries entries;
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return entries;
  for (const bool user : {false, true}) {
    for (const bool agent : {false, true}) {
      for (const bool session : {false, true}) {
        if ((user && owner.user_id.empty()) || (agent && owner.agent_id.empty()) ||
            (session && owner.session_id.empty())) {
          continue;
        }
        auto found =
            entries_.find(scope_key(tenant, {.user_id = user ? owner.user_id : "",
                                             .agent_id = agent ? owner.agent_id : "",
                                             .session_id = session ? owner.session_id : ""}));
        if (found) entries.push_back(std::move(found));
      }
    }
  }
  return entries;
}

// False, with little effort: that would take more. False, with any: the partition has failed and
// is no longer known.
bool PartitionCache::bring_up_to_date(const std::shared_ptr<Entry>& entry, Effort effort) {
  const std::size_t queued = entry->queued();
  const bool expired = entry->next_expiry.load() <= options_.clock();
  if (entry->state == Entry::State::ready && queued == 0 && !expired) return true;
  std::unique_lock changing(entry->changing, std::defer_lock);
  std::unique_lock reading(entry->reading, std::defer_lock);
  if (effort == Effort::little) {
    if (entry->state != Entry::State::ready) return false;
    if (queued > kFewChanges || expired || entry->size > options_.small) return false;
    if (!changing.try_lock() || !reading.try_lock()) return false;
  } else {
    changing.lock();
  }
  if (entry->state == Entry::State::failed) return false;
  if (entry->state == Entry::State::unloaded) load(*entry);
  if (!reading) reading.lock();
  if (!apply_queue(*entry)) return false;
  const std::size_t bytes = kEntryBytes + entry->partition.bytes();
  const bool index = entry->partition.wants_index() && !std::exchange(entry->indexing, true);
  reading.unlock();
  changing.unlock();
  count_bytes(entry, bytes);
  if (index) index_later(entry);
  return true;
}

// Nobody else looks at the partition before it is ready.
void PartitionCache::load(Entry& entry) {
  try {
    loader_(entry.tenant, entry.scope, entry.partition);
  } catch (...) {
    fail(entry);
    throw;
  }
  entry.size = entry.partition.size();
  entry.state = Entry::State::ready;
}

// A partition that a change fails on is given up: its next user loads it anew.
bool PartitionCache::apply_queue(Entry& entry) {
  std::vector<PartitionChange> queue;
  bool index_waits = false;
  {
    const std::lock_guard lock(entry.queue_mutex);
    queue.swap(entry.queue);
    index_waits = std::exchange(entry.index_waits, false);
  }
  try {
    for (const PartitionChange& change : queue) {
      if (change.removed) {
        entry.partition.remove(change.memory->id);
      } else {
        entry.partition.put(change.memory, change.vector);
      }
    }
    entry.partition.remove_expired(options_.clock());
    if (index_waits) entry.partition.finish_index();
  } catch (const std::exception& error) {
    log::error("a scope's search index failed and is built anew", {{"error", error.what()}});
    fail(entry);
    return false;
  }
  entry.size = entry.partition.size();
  entry.next_expiry = entry.partition.next_expiry().value_or(Timestamp::max());
  return true;
}

// Those who wait for the entry see that it has failed, and open another.
void PartitionCache::fail(Entry& entry) {
  entry.state = Entry::State::failed;
  const std::lock_guard lock(mutex_);
  entries_.remove(entry);
}

void PartitionCache::index_later(const std::weak_ptr<Entry>& entry) {
  boost::asio::post(indexer_, [this, entry] { index_more(entry); });
}

// Takes part as a reader does, so that it holds up no change for longer than one part takes.
void PartitionCache::index_more(const std::weak_ptr<Entry>& weak) {
  const auto entry = weak.lock();
  if (!entry) return;
  try {
    if (!bring_up_to_date(entry, Effort::any)) return;
    {
      const std::shared_lock reading(entry->reading);
      if (entry->state != Entry::State::ready) return;
      if (entry->partition.build_index(kIndexedAtOnce)) {
        index_later(weak);
        return;
      }
    }
    {
      const std::lock_guard lock(entry->queue_mutex);
      entry->index_waits = true;
    }
    if (bring_up_to_date(entry, Effort::any)) {
      log::info("a large scope's vectors are indexed", {{"memories", entry->size.load()}});
    }
  } catch (const std::exception& error) {
    log::error("a scope's vectors could not be indexed; all of them are looked at",
               {{"error", error.what()}});
  }
}

// Who uses a partition that is let go of misses changes which happen during that use alone.
void PartitionCache::count_bytes(const std::shared_ptr<Entry>& entry, std::size_t bytes) {
  Entries evicted;  // end after the lock
  const std::lock_guard lock(mutex_);
  evicted = entries_.count_bytes(entry, bytes);
}

}  // namespace maas::ltm
