#include "ltm/memory_store_sqlite.hpp"

#include "core/error.hpp"
#include "ltm/memory_changes_sqlite.hpp"
#include "ltm/memory_metrics.hpp"
#include "ltm/memory_rows_sqlite.hpp"
#include "text/folding.hpp"

#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

using sqlite::Connection;

// What takes less time than a change of threads is worth: so much text folded, so much read.
constexpr std::size_t kFoldHereBytes = 16 * 1024;
constexpr std::size_t kReadHereBytes = 128 * 1024;
constexpr std::size_t kReadHereRows = 200;
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kRemovedAtOnce = 1000;
constexpr std::size_t kSweptAtOnce = 200;

// What a write goes on using if the store ends while it is queued.
struct Shared {
  VectorSpace space;
  PartitionCache cache;
};

std::size_t text_bytes(const std::vector<NewMemory>& memories) {
  std::size_t bytes = 0;
  for (const NewMemory& each : memories) bytes += each.memory.text.size();
  return bytes;
}

class SqliteMemoryStore final : public MemoryStore {
 public:
  SqliteMemoryStore(sqlite::Database& database, boost::asio::thread_pool& pool,
                    SqliteMemoryStoreOptions options, std::function<Timestamp()> clock)
      : database_(database),
        pool_(pool),
        clock_(std::move(clock)),
        shared_(new Shared{
            {std::move(options.model), options.cache.partition.dims},
            {options.cache, [this](std::string_view tenant, const Scope& scope,
                                   Partition& partition) { load(tenant, scope, partition); }}}) {}

  std::string_view engine() const override { return "sqlite"; }

  Task<std::optional<std::string>> problem() override {
    std::optional<std::string> found;
    try {
      auto look = [](Connection& connection) {
        return connection.statement("SELECT 1 FROM ltm_memories LIMIT 1").executeStep();
      };
      co_await database_.read(look);
    } catch (const std::exception& error) {
      found = error.what();
    }
    co_return found;
  }

  Task<std::vector<Added>> add(Caller caller, std::vector<NewMemory> memories) override {
    const std::vector<Folded> folded = co_await folded_texts(memories);
    auto change = [&memories, &folded](Connection& connection, const MemoryChanger& changer) {
      std::vector<Added> added;
      added.reserve(memories.size());
      for (std::size_t i = 0; i < memories.size(); ++i) {
        added.push_back(changer.add(connection, std::move(memories[i]), folded[i]));
      }
      return added;
    };
    co_return co_await write(caller.tenant, change);
  }

  Task<MemoryPtr> get(Caller caller, std::string_view id) override {
    MemoryPtr memory;
    auto row = database_.read_here([&](Connection& connection) {
      return MemoryRows(connection, caller.tenant, shared_->space).find(id);
    });
    if (row && !expired(row->memory, clock_())) {
      memory = std::make_shared<const Memory>(std::move(row->memory));
    }
    co_return memory;
  }

  Task<std::vector<MemoryPtr>> list(Caller caller, const Scope& scope,
                                    const ListQuery& query) override {
    const Timestamp time = clock_();
    const auto look = [&](Connection& connection, std::size_t max_rows, std::size_t max_bytes) {
      return newest(connection, caller.tenant, scope, query, time, max_rows, max_bytes);
    };
    auto here = database_.read_here(
        [&](Connection& connection) { return look(connection, kReadHereRows, kReadHereBytes); });
    if (here) co_return *std::move(here);
    auto elsewhere = [&look](Connection& connection) {
      return *look(connection, kUnlimited, kUnlimited);
    };
    co_return co_await database_.read(elsewhere);
  }

  Task<MemoryPtr> update(Caller caller, const Memory& changed,
                         std::optional<llm::Vector> vector) override {
    const std::string folded = text::folded_line(changed.text);
    auto change = [&](Connection& connection, const MemoryChanger& changer) {
      return changer.update(connection, changed, folded, vector);
    };
    co_return co_await write(caller.tenant, change);
  }

  Task<std::optional<Applied>> apply(Caller caller, Changes changes) override {
    const std::vector<Folded> folded = co_await folded_texts(changes.added);
    std::vector<std::string> folded_updates;
    for (const auto& [changed, vector] : changes.updated) {
      folded_updates.push_back(text::folded_line(changed.text));
    }
    auto change = [&](Connection& connection,
                      const MemoryChanger& changer) -> std::optional<Applied> {
      if (!changer.are_current(connection, changes)) return std::nullopt;
      Applied applied;
      for (const MemoryPtr& memory : changes.removed) changer.remove(connection, memory->id);
      for (std::size_t i = 0; i < changes.updated.size(); ++i) {
        auto& [changed, vector] = changes.updated[i];
        applied.updated.push_back(changer.update(connection, changed, folded_updates[i], vector));
      }
      for (std::size_t i = 0; i < changes.added.size(); ++i) {
        applied.added.push_back(changer.add(connection, std::move(changes.added[i]), folded[i]));
      }
      return applied;
    };
    co_return co_await write(caller.tenant, change);
  }

  Task<std::vector<bool>> remove(Caller caller, std::span<const std::string> ids) override {
    auto change = [ids](Connection& connection, const MemoryChanger& changer) {
      std::vector<bool> removed;
      for (const std::string& id : ids) removed.push_back(changer.remove(connection, id));
      return removed;
    };
    co_return co_await write(caller.tenant, change);
  }

  Task<std::size_t> remove_scope(Caller caller, const Scope& scope) override {
    // What is added meanwhile stays: else this might never end.
    const std::int64_t last = database_.read_here(last_sequence);
    auto change = [&scope, last](Connection& connection, const MemoryChanger& changer) {
      Removed part;
      for (Memory& memory : changer.rows_of(connection).remove_scope(scope, last, kRemovedAtOnce)) {
        ++part.all;
        if (changer.forget(connection, std::move(memory))) ++part.visible;
      }
      return part;
    };
    Removed removed;
    try {
      while (true) {
        const Removed part = co_await write(caller.tenant, change);
        removed.all += part.all;
        removed.visible += part.visible;
        if (part.all < kRemovedAtOnce) break;
      }
    } catch (const Error& error) {
      if (removed.all == 0) throw;
      throw Error(
          error.code(),
          "Only " + std::to_string(removed.visible) + " memories were removed: " + error.what(),
          error.detail());
    }
    co_return removed.visible;
  }

  Task<std::vector<std::string>> remove_expired(Caller caller) override {
    std::vector<std::string> ids;
    while (true) {
      const std::vector<std::string> part = co_await remove_expired(caller.tenant, kRemovedAtOnce);
      ids.insert(ids.end(), part.begin(), part.end());
      if (part.size() < kRemovedAtOnce) break;
    }
    co_return ids;
  }

  Task<std::vector<HistoryEntry>> history(Caller caller, std::string_view id) override {
    auto look = [&](Connection& connection) {
      return MemoryRows(connection, caller.tenant, shared_->space).history(id);
    };
    co_return co_await database_.read(look);
  }

  Task<std::vector<std::string>> speakers(Caller caller, const Scope& scope) override {
    std::vector<std::string> names;
    const PartitionCache::Use use = [&](const Partition& partition) {
      names = partition.speakers();
    };
    co_await use_partition(caller.tenant, scope, use);
    co_return names;
  }

  Task<std::vector<SearchHit>> search(Caller caller, const Scope& scope,
                                      const SearchQuery& query) override {
    std::vector<SearchHit> hits;
    const PartitionCache::Use use = [&](const Partition& partition) {
      hits = partition.search(query, clock_());
    };
    co_await use_partition(caller.tenant, scope, use);
    co_return hits;
  }

  Task<std::vector<Neighbour>> nearest(Caller caller, const Scope& scope, const llm::Vector& vector,
                                       std::size_t limit) override {
    std::vector<Neighbour> neighbours;
    const PartitionCache::Use use = [&](const Partition& partition) {
      neighbours = partition.nearest(vector, limit, clock_());
    };
    co_await use_partition(caller.tenant, scope, use);
    co_return neighbours;
  }

  Task<std::vector<OwnedMemory>> waiting(Waiting what, std::int64_t after,
                                         std::size_t limit) override {
    std::vector<OwnedMemory> found;
    if (what == Waiting::vector && shared_->space.model.empty()) co_return found;
    auto look = [this, what, after, limit](Connection& connection) {
      return waiting_memories(connection, what, shared_->space, clock_(), after, limit);
    };
    found = co_await database_.read(look);
    co_return found;
  }

  Task<std::size_t> set_vectors(Caller caller, std::vector<MemoryPtr> memories,
                                std::vector<llm::Vector> vectors) override {
    auto change = [&](Connection& connection, const MemoryChanger& changer) {
      std::size_t count = 0;
      for (std::size_t i = 0; i < memories.size(); ++i) {
        count += changer.set_vector(connection, *memories[i], vectors[i]);
      }
      return count;
    };
    co_return co_await write(caller.tenant, change);
  }

  Task<bool> sweep() override {
    const Timestamp time = clock_();
    const auto tenant = database_.read_here(
        [time](Connection& connection) { return tenant_to_sweep(connection, time); });
    if (!tenant) co_return false;
    co_await remove_expired(*tenant, kSweptAtOnce);
    co_return true;
  }

 private:
  struct Removed {
    std::size_t all = 0;
    std::size_t visible = 0;
  };

  Task<std::vector<Folded>> folded_texts(const std::vector<NewMemory>& memories) {
    const auto fold_all = [&memories] { return fold(memories); };
    if (text_bytes(memories) <= kFoldHereBytes) co_return fold_all();
    co_return co_await offload(pool_, fold_all);
  }

  // Makes `change`, tells the partitions in the order of commits, and brings them up to date.
  template <class F>
  Task<std::invoke_result_t<F&, Connection&, const MemoryChanger&>> write(std::string_view tenant,
                                                                          F& change) {
    const std::shared_ptr<Shared> shared = shared_;
    std::vector<PartitionChange> changes;
    const MemoryChanger changer(shared->space, tenant, clock_(), changes);
    auto run = [&change, &changer](Connection& connection) { return change(connection, changer); };
    auto committed = [&shared, &changes]() noexcept { shared->cache.publish(changes); };
    auto result = co_await database_.write(run, committed);
    if (!shared->cache.try_settle(changes)) {
      auto settle = [&shared, &changes] {
        shared->cache.settle(changes);
        return true;
      };
      co_await offload(pool_, settle);
    }
    co_return result;
  }

  Task<std::vector<std::string>> remove_expired(std::string_view tenant, std::size_t limit) {
    auto change = [time = clock_(), limit](Connection& connection, const MemoryChanger& changer) {
      std::vector<std::string> ids;
      for (Memory& memory : changer.rows_of(connection).remove_expired(time, limit)) {
        ids.push_back(memory.id);
        changer.forget(connection, std::move(memory));
      }
      return ids;
    };
    std::vector<std::string> removed = co_await write(tenant, change);
    count_expired(removed.size());
    co_return removed;
  }

  // Nullopt: more would have to be read for it than that many rows or bytes.
  std::optional<std::vector<MemoryPtr>> newest(Connection& connection, std::string_view tenant,
                                               const Scope& scope, const ListQuery& query,
                                               Timestamp time, std::size_t max_rows,
                                               std::size_t max_bytes) const {
    std::vector<MemoryPtr> memories;
    if (query.limit == 0) return memories;
    std::size_t bytes = 0;
    const auto visit = [&](Memory memory) {
      bytes += memory.text.size() + memory.metadata.size();
      if (bytes > max_bytes) return false;
      if (query.filter && !matches(*query.filter, memory)) return true;
      memories.push_back(std::make_shared<const Memory>(std::move(memory)));
      return memories.size() < query.limit;
    };
    const bool finished =
        MemoryRows(connection, tenant, shared_->space)
            .visit_newest(scope, time, query.category, query.after, max_rows, visit);
    if (!finished || bytes > max_bytes) return std::nullopt;
    return memories;
  }

  void load(std::string_view tenant, const Scope& scope, Partition& partition) const {
    database_.read_here([&](Connection& connection) {
      MemoryRows(connection, tenant, shared_->space)
          .visit_all(scope, clock_(), [&partition](MemoryRow row) {
            partition.put(std::make_shared<const Memory>(std::move(row.memory)), row.vector);
          });
    });
  }

  Task<> use_partition(std::string_view tenant, const Scope& scope,
                       const PartitionCache::Use& use) {
    if (shared_->cache.try_read(tenant, scope, use)) co_return;
    auto read = [this, tenant, &scope, &use] {
      shared_->cache.read(tenant, scope, use);
      return true;
    };
    co_await offload(pool_, read);
  }

  sqlite::Database& database_;
  boost::asio::thread_pool& pool_;
  std::function<Timestamp()> clock_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::unique_ptr<MemoryStore> make_sqlite_memory_store(sqlite::Database& database,
                                                      boost::asio::thread_pool& pool,
                                                      SqliteMemoryStoreOptions options,
                                                      std::function<Timestamp()> clock) {
  options.cache.clock = clock;
  return std::make_unique<SqliteMemoryStore>(database, pool, std::move(options), std::move(clock));
}

}  // namespace maas::ltm
