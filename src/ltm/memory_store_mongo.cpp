#include "ltm/memory_store_mongo.hpp"

#include "core/error.hpp"
#include "core/offload.hpp"
#include "ltm/memory_bson.hpp"
#include "ltm/memory_changes_mongo.hpp"
#include "ltm/memory_metrics.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/mongo_monitor.hpp"
#include "ltm/mongo_queries.hpp"
#include "ltm/mongo_search.hpp"
#include "ltm/scope_key.hpp"
#include "text/folding.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

namespace asio = boost::asio;

// Memories in one transaction: as long as it goes on, others who change the same owner's wait.
constexpr std::size_t kRemovedAtOnce = 200;
constexpr std::size_t kLanes = 64;

bool is_empty(const Scope& scope) { return scope == Scope{}; }

class MongoMemoryStore final : public MemoryStore {
 public:
  MongoMemoryStore(MongoMemoryStoreOptions options, std::function<Timestamp()> clock)
      : clock_(std::move(clock)),
        space_{std::move(options.model), options.search.cache.partition.dims},
        client_(options.server),
        search_(client_, options.server.collection, space_,
                with_clock(std::move(options.search), clock_)),
        pool_(options.server.pool_size) {
    for (std::size_t i = 0; i < kLanes; ++i) lanes_.push_back(asio::make_strand(pool_));
  }

  ~MongoMemoryStore() override { pool_.join(); }

  std::string_view engine() const override { return kMongoEngine; }

  std::string note() const override {
    const std::string note = client_.note();
    return search_.state()->description + (note.empty() ? "" : "; " + note);
  }

  Task<std::optional<std::string>> problem() override {
    const auto ask = [this] {
      auto problem = client_.problem();
      return problem ? std::move(problem) : search_.state()->problem;
    };
    co_return co_await offload(pool_, ask);
  }

  Task<std::vector<Added>> add(Caller caller, std::vector<NewMemory> memories) override {
    std::vector<Added> added;
    if (memories.empty()) co_return added;
    const auto store = [&] {
      const std::vector<Folded> folded = fold(memories);
      const std::int64_t first = next_sequences(memories.size());
      return change<std::vector<Added>>(caller.tenant, [&](MongoChanges& changes) {
        return changes.add(memories, folded, first);
      });
    };
    const Scope& owner = memories.front().memory.scope;
    added = co_await in_lane(caller, owner, store);
    co_return added;
  }

  Task<MemoryPtr> get(Caller caller, std::string_view id) override {
    const auto look = [&] {
      MemoryPtr memory;
      if (!is_bson_text(id)) return memory;
      const std::string ids[] = {std::string(id)};
      client_.use([&](MongoSession& session) {
        memory.reset();
        session.find(Collection::memories, ids_filter(caller.tenant, ids), without_vectors(),
                     [&memory](const _bson_t* document) {
                       memory = std::make_shared<const Memory>(memory_of(document));
                       return false;
                     });
      });
      if (memory && expired(*memory, clock_())) memory.reset();
      return memory;
    };
    co_return co_await offload(pool_, below(caller, look));
  }

  Task<std::vector<MemoryPtr>> list(Caller caller, const Scope& scope,
                                    const ListQuery& query) override {
    const auto look = [&] {
      std::vector<MemoryPtr> memories;
      if (query.limit == 0 || is_empty(scope)) return memories;
      // With a filter more may have to be looked at than is listed.
      const std::size_t limit = query.filter ? 0 : query.limit;
      client_.use([&](MongoSession& session) {
        memories.clear();
        session.find(Collection::memories, list_filter(caller.tenant, scope, query, clock_()),
                     newest_first(limit), [&](const _bson_t* document) {
                       Memory memory = memory_of(document);
                       if (query.filter && !matches(*query.filter, memory)) return true;
                       memories.push_back(std::make_shared<const Memory>(std::move(memory)));
                       return memories.size() < query.limit;
                     });
      });
      return memories;
    };
    co_return co_await offload(pool_, below(caller, look));
  }

  Task<MemoryPtr> update(Caller caller, const Memory& changed,
                         std::optional<llm::Vector> vector) override {
    Changes changes;
    changes.updated.push_back({changed, std::move(vector)});
    auto applied = co_await apply(caller, std::move(changes));
    co_return applied ? std::move(applied->updated.front()) : nullptr;
  }

  Task<std::optional<Applied>> apply(Caller caller, Changes given) override {
    const auto store = [&] {
      const std::vector<Folded> folded = fold(given.added);
      std::vector<std::string> folded_updates, ids;
      for (const auto& [changed, vector] : given.updated) {
        folded_updates.push_back(text::folded_line(changed.text));
        ids.push_back(changed.id);
      }
      for (const MemoryPtr& memory : given.removed) ids.push_back(memory->id);
      const std::int64_t first = given.added.empty() ? 0 : next_sequences(given.added.size());
      return change<std::optional<Applied>>(
          caller.tenant, [&](MongoChanges& changes) -> std::optional<Applied> {
            const MongoChanges::Memories stored = changes.find(ids);
            std::vector<Memory> removed;
            for (const auto& [changed, vector] : given.updated) {
              if (!changes.is_current(stored, changed)) return std::nullopt;
            }
            for (const MemoryPtr& memory : given.removed) {
              if (!changes.is_current(stored, *memory)) return std::nullopt;
              removed.push_back(stored.find(memory->id)->second);
            }
            Applied applied;
            changes.remove(removed);
            applied.updated = changes.update(stored, given.updated, folded_updates);
            applied.added = changes.add(given.added, folded, first);
            return applied;
          });
    };
    const Scope owner = !given.updated.empty()   ? given.updated.front().changed.scope
                        : !given.removed.empty() ? given.removed.front()->scope
                        : !given.added.empty()   ? given.added.front().memory.scope
                                                 : Scope{};
    co_return co_await in_lane(caller, owner, store);
  }

  Task<std::vector<bool>> remove(Caller caller, std::span<const std::string> ids) override {
    const auto remove = [&] {
      std::vector<std::string> known;
      for (const std::string& id : ids) {
        if (is_bson_text(id)) known.push_back(id);
      }
      return change<std::vector<bool>>(caller.tenant, [&](MongoChanges& changes) {
        const Timestamp time = clock_();
        MongoChanges::Memories stored = changes.find(known);
        std::vector<Memory> removed;
        std::vector<bool> were_there;
        for (const std::string& id : ids) {
          const auto found = stored.find(id);
          were_there.push_back(found != stored.end() && !expired(found->second, time));
          if (found == stored.end()) continue;
          removed.push_back(std::move(found->second));
          stored.erase(found);
        }
        changes.remove(removed);
        return were_there;
      });
    };
    // Whose they are is not known yet: at least those who remove the same wait for each other.
    const Scope same{.session_id = ids.empty() ? std::string() : ids.front()};
    co_return co_await in_lane(caller, same, remove);
  }

  Task<std::size_t> remove_scope(Caller caller, const Scope& scope) override {
    std::size_t all = 0, visible_ones = 0;
    if (is_empty(scope)) co_return visible_ones;
    // What is added meanwhile stays: else this might never end.
    std::optional<std::int64_t> last;
    const auto remove = [&] {
      if (!last) last = next_sequences(0);
      Document filter = scope_filter(caller.tenant, scope), until;
      filter.set("sequence", until.set("$lte", *last));
      return remove_some(caller.tenant, filter);
    };
    try {
      while (true) {
        // A part at a time: what others want of the same owner comes between.
        const std::vector<Memory> part = co_await in_lane(caller, scope, remove);
        const Timestamp time = clock_();
        all += part.size();
        for (const Memory& memory : part) visible_ones += expired(memory, time) ? 0 : 1;
        if (part.size() < kRemovedAtOnce) break;
      }
    } catch (const Error& error) {
      if (all == 0) throw;
      throw Error(
          error.code(),
          "Only " + std::to_string(visible_ones) + " memories were removed: " + error.what(),
          error.detail());
    }
    co_return visible_ones;
  }

  Task<std::vector<std::string>> remove_expired(Caller caller) override {
    const auto remove = [&] {
      std::vector<std::string> ids;
      while (true) {
        const std::vector<Memory> part =
            remove_some(caller.tenant, expired_filter(caller.tenant, clock_()));
        count_expired(part.size());
        for (const Memory& memory : part) ids.push_back(memory.id);
        if (part.size() < kRemovedAtOnce) break;
      }
      return ids;
    };
    co_return co_await offload(pool_, below(caller, remove));
  }

  Task<std::vector<HistoryEntry>> history(Caller caller, std::string_view id) override {
    const auto look = [&] {
      std::vector<HistoryEntry> entries;
      if (!is_bson_text(id)) return entries;
      client_.use([&](MongoSession& session) {
        entries.clear();
        Document filter, order, options;
        filter.set("tenant", caller.tenant).set("memory_id", id);
        options.set("sort", order.set("version", 1));
        session.find(Collection::history, filter, std::move(options),
                     [&entries](const _bson_t* document) {
                       entries.push_back(history_entry_of(document));
                       return true;
                     });
      });
      return entries;
    };
    co_return co_await offload(pool_, below(caller, look));
  }

  Task<std::vector<std::string>> speakers(Caller caller, const Scope& scope) override {
    const auto read = [&] {
      return is_empty(scope) ? std::vector<std::string>() : search_.speakers(caller.tenant, scope);
    };
    co_return co_await offload(pool_, below(caller, read));
  }

  Task<std::vector<SearchHit>> search(Caller caller, const Scope& scope,
                                      const SearchQuery& query) override {
    const auto find = [&] {
      return is_empty(scope) ? std::vector<SearchHit>()
                             : search_.search(caller.tenant, scope, query);
    };
    co_return co_await offload(pool_, below(caller, find));
  }

  Task<std::vector<Neighbour>> nearest(Caller caller, const Scope& scope, const llm::Vector& vector,
                                       std::size_t limit) override {
    const auto find = [&] {
      return is_empty(scope) ? std::vector<Neighbour>()
                             : search_.nearest(caller.tenant, scope, vector, limit);
    };
    co_return co_await offload(pool_, below(caller, find));
  }

  Task<std::vector<OwnedMemory>> waiting(Waiting what, std::int64_t after,
                                         std::size_t limit) override {
    const auto look = [&] {
      std::vector<OwnedMemory> found;
      if (limit == 0 || (what == Waiting::vector && space_.model.empty())) return found;
      client_.use([&](MongoSession& session) {
        found.clear();
        session.find(Collection::memories, waiting_filter(what, space_.model, after, clock_()),
                     in_order_of_arrival(limit), [&found](const _bson_t* document) {
                       found.push_back(owned_memory_of(document));
                       return true;
                     });
      });
      return found;
    };
    co_return co_await offload(pool_, look);
  }

  Task<std::size_t> set_vectors(Caller caller, std::vector<MemoryPtr> memories,
                                std::vector<llm::Vector> vectors) override {
    const auto set = [&] {
      return change<std::size_t>(caller.tenant, [&](MongoChanges& changes) {
        return changes.set_vectors(memories, vectors);
      });
    };
    co_return co_await offload(pool_, below(caller, set));
  }

  Task<bool> sweep() override {
    const auto remove = [this] {
      std::string tenant;
      client_.use([&](MongoSession& session) {
        session.find(Collection::memories, expired_filter({}, clock_()), in_order_of_arrival(1),
                     [&tenant](const _bson_t* document) {
                       tenant = text_field(document, "tenant");
                       return false;
                     });
      });
      if (tenant.empty()) return false;
      count_expired(remove_some(tenant, expired_filter(tenant, clock_())).size());
      return true;
    };
    co_return co_await offload(pool_, remove);
  }

 private:
  static MongoSearchOptions with_clock(const MongoSearchOptions& told,
                                       const std::function<Timestamp()>& clock) {
    MongoSearchOptions options = told;
    options.cache.clock = clock;
    return options;
  }

  // Takes so many numbers; the first of them. They are taken for good, also when the change that
  // they are for fails.
  std::int64_t next_sequences(std::size_t count) {
    std::int64_t last = 0;
    client_.use([&](MongoSession& session) {
      last = session.increment(Collection::owners, kSequence, static_cast<std::int64_t>(count));
    });
    return last - static_cast<std::int64_t>(count) + (count > 0 ? 1 : 0);
  }

  // Makes changes in one transaction, as often as it takes.
  template <class T, class F>
  T change(std::string_view tenant, F make) {
    std::optional<T> result;
    try {
      client_.transact([&](MongoSession& session) {
        MongoChanges changes(session, space_, tenant, clock_());
        result.emplace(make(changes));
      });
    } catch (const MongoError& error) {
      // An index for vectors of another size lets servers refuse memories, too.
      if (error.code() != Errc::internal || !search_.state()->problem) throw;
      throw Error(Errc::unavailable,
                  "MongoDB refused the change; /health/ready tells what is wrong with its index",
                  error.detail());
    }
    search_.note_change();
    return std::move(*result);
  }

  // Removes up to kRemovedAtOnce of what a filter finds.
  std::vector<Memory> remove_some(std::string_view tenant, const Document& filter) {
    return change<std::vector<Memory>>(tenant, [&](MongoChanges& changes) {
      std::vector<Memory> removed = changes.find(filter, kRemovedAtOnce);
      changes.remove(removed);
      return removed;
    });
  }

  // Runs `fn` on the pool, behind the other changes of the same owner: in each other's way, all but
  // one of their transactions would be made in vain.
  template <class F>
  Task<std::invoke_result_t<F&>> in_lane(const Caller& caller, const Scope& owner, F& fn) {
    using T = std::invoke_result_t<F&>;
    auto& lane = lanes_[std::hash<std::string>()(scope_key(caller.tenant, owner)) % kLanes];
    auto job = below(caller, fn);
    auto start = [&lane, &job](auto complete) {
      asio::post(lane, [&job, complete = std::move(complete)]() mutable {
        complete(Outcome<T>::of(job));
      });
    };
    co_return co_await await_elsewhere<T>(std::move(start));
  }

  std::function<Timestamp()> clock_;
  VectorSpace space_;
  MongoClient client_;
  MongoSearch search_;
  asio::thread_pool pool_;  // of this store's own: its threads wait for a network
  std::vector<asio::strand<asio::thread_pool::executor_type>> lanes_;
};

}  // namespace

std::unique_ptr<MemoryStore> make_mongo_memory_store(MongoMemoryStoreOptions options,
                                                     std::function<Timestamp()> clock) {
  return std::make_unique<MongoMemoryStore>(std::move(options), std::move(clock));
}

}  // namespace maas::ltm
