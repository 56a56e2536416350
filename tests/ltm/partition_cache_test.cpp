#include "ltm/partition_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <stdexcept>
#include <thread>

namespace maas::ltm {
namespace {

using Texts = std::map<std::string, std::string>;  // by id

constexpr std::size_t kDims = 4;
const Timestamp kTime{std::chrono::hours(24 * 365 * 50)};

llm::Vector vector_of(std::int64_t sequence) {
  llm::Vector vector(kDims, 0.5f);
  for (std::size_t i = 0; i < kDims; ++i) {
    if ((sequence >> i) & 1) vector[i] = -0.5f;
  }
  return vector;
}

// The texts of all memories in a partition: each holds the word "apple".
Texts texts_in(const Partition& partition) {
  Texts texts;
  const SearchQuery query{.text = "apple", .limit = 100'000};
  for (const SearchHit& hit : partition.search(query, kTime)) {
    texts[hit.memory->id] = hit.memory->text;
  }
  EXPECT_EQ(texts.size(), partition.size());
  return texts;
}

// A store: what is committed can be loaded at once, and is announced after that.
class Store {
 public:
  explicit Store(PartitionCacheOptions options)
      : cache(options, [this](std::string_view tenant, const Scope& scope, Partition& partition) {
          load(tenant, scope, partition);
        }) {}

  PartitionChange add(const std::string& id, Scope scope = {.user_id = "u"},
                      const std::string& tenant = "t") {
    const std::lock_guard lock(mutex_);
    ++last_sequence_;
    return put(tenant, {.id = id,
                        .scope = std::move(scope),
                        .text = "apple " + id,
                        .created_at = kTime + std::chrono::microseconds(last_sequence_),
                        .sequence = last_sequence_});
  }

  PartitionChange update(const std::string& id, const std::string& text) {
    const std::lock_guard lock(mutex_);
    const auto& row = rows_.at(id);
    Memory next = *row.memory;
    next.text = "apple " + text;
    ++next.version;
    return put(row.tenant, std::move(next));
  }

  PartitionChange remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    PartitionChange change = rows_.at(id);
    change.removed = true;
    rows_.erase(id);
    return change;
  }

  // The texts that a partition of the scope should hold.
  Texts texts(const std::string& tenant, const Scope& scope) {
    const std::lock_guard lock(mutex_);
    Texts texts;
    for (const auto& [id, row] : rows_) {
      if (row.tenant == tenant && contains(scope, row.memory->scope)) texts[id] = row.memory->text;
    }
    return texts;
  }

  // The texts that it holds.
  Texts read(const std::string& tenant = "t", const Scope& scope = {.user_id = "u"}) {
    Texts texts;
    cache.read(tenant, scope, [&](const Partition& partition) { texts = texts_in(partition); });
    return texts;
  }

  void publish(std::vector<PartitionChange> changes) { cache.publish(changes); }

  std::function<void()> before_load = [] {};
  std::function<void()> after_load = [] {};
  std::atomic<int> loads = 0;

 private:
  PartitionChange put(const std::string& tenant, Memory memory) {
    PartitionChange row{.tenant = tenant,
                        .memory = std::make_shared<const Memory>(memory),
                        .vector = vector_of(memory.sequence)};
    rows_[memory.id] = row;
    return row;
  }

  void load(std::string_view tenant, const Scope& scope, Partition& partition) {
    ++loads;
    before_load();
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, row] : rows_) {
        if (row.tenant == tenant && contains(scope, row.memory->scope)) {
          partition.put(row.memory, row.vector);
        }
      }
    }
    after_load();
  }

  std::mutex mutex_;
  std::map<std::string, PartitionChange> rows_;
  std::int64_t last_sequence_ = 0;

 public:
  PartitionCache cache;
};

PartitionCacheOptions options(std::size_t max_bytes = 64u << 20, std::size_t small = 2'000) {
  return {.max_bytes = max_bytes,
          .small = small,
          .partition = {.dims = kDims, .hnsw_threshold = 1'000, .language = "english"}};
}

const Scope kUser{.user_id = "u"};
const PartitionCache::Use kNothing = [](const Partition&) {};

TEST(PartitionCache, LoadsAPartitionOnItsFirstUseAlone) {
  Store store(options());
  store.publish({store.add("a")});
  EXPECT_EQ(store.loads, 0);
  EXPECT_EQ(store.read(), (Texts{{"a", "apple a"}}));
  EXPECT_EQ(store.read(), (Texts{{"a", "apple a"}}));
  EXPECT_EQ(store.loads, 1);
}

TEST(PartitionCache, AppliesWhatIsAnnouncedInItsOrder) {
  Store store(options());
  EXPECT_TRUE(store.read().empty());
  store.publish({store.add("a"), store.add("b")});
  store.publish({store.update("a", "again"), store.remove("b")});
  EXPECT_EQ(store.read(), (Texts{{"a", "apple again"}}));
  EXPECT_EQ(store.loads, 1);
}

TEST(PartitionCache, TellsThePartitionsOfAllScopesThatHoldAMemory) {
  Store store(options());
  std::vector<Scope> holding;
  for (const std::string user : {"", "u"}) {
    for (const std::string agent : {"", "a"}) {
      for (const std::string session : {"", "s"}) {
        if (!(user + agent + session).empty()) holding.push_back({user, agent, session});
      }
    }
  }
  ASSERT_EQ(holding.size(), 7u);
  const std::vector<Scope> others{{"u", "a", "x"}, {"x", "", ""}, {"", "u", ""}, {"", "", "a"}};
  for (const Scope& scope : holding) EXPECT_TRUE(store.read("t", scope).empty());
  for (const Scope& scope : others) EXPECT_TRUE(store.read("t", scope).empty());
  EXPECT_TRUE(store.read("other", holding.back()).empty());

  store.publish({store.add("a", {"u", "a", "s"})});

  for (const Scope& scope : holding) EXPECT_EQ(store.read("t", scope).size(), 1u);
  for (const Scope& scope : others) EXPECT_TRUE(store.read("t", scope).empty());
  EXPECT_TRUE(store.read("other", holding.back()).empty());
}

TEST(PartitionCache, TellsOnlyPartitionsWhoseIdsTheOwnerGives) {
  Store store(options());
  EXPECT_TRUE(store.read("t", {"u", "a", ""}).empty());
  EXPECT_TRUE(store.read("t", {"u", "", ""}).empty());
  store.publish({store.add("a", {"u", "", ""})});
  EXPECT_TRUE(store.read("t", {"u", "a", ""}).empty());
  EXPECT_EQ(store.read("t", {"u", "", ""}).size(), 1u);
}

TEST(PartitionCache, KeepsIdsThatLookAlikeApart) {
  Store store(options());
  const std::vector<Scope> scopes{{"a", "b", ""}, {"a:1:b", "", ""}, {"1:a", "b", ""},
                                  {"", "a", "b"}, {"ab", "", ""},    {"a", "", "b"}};
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    store.publish({store.add(std::to_string(i), scopes[i])});
  }
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    EXPECT_TRUE(store.read("t", scopes[i]).contains(std::to_string(i)));
  }
  EXPECT_EQ(store.loads, static_cast<int>(scopes.size()));
}

TEST(PartitionCache, MissesNothingThatHappensWhileItLoads) {
  Store store(options());
  store.publish({store.add("a"), store.add("b"), store.add("c")});
  store.before_load = [&] {  // seen by the loader and announced as well
    store.publish({store.add("d"), store.update("a", "seen")});
    store.publish({store.add("gone"), store.remove("gone"), store.remove("b")});
  };
  store.after_load = [&] {  // announced alone
    store.publish({store.add("e"), store.update("d", "later"), store.remove("c")});
  };
  EXPECT_EQ(store.read(), (Texts{{"a", "apple seen"}, {"d", "apple later"}, {"e", "apple e"}}));
}

TEST(PartitionCache, EndsAsTheStoreDidWhenTheLoaderSawTheMiddle) {
  Store store(options());
  const PartitionChange added = store.add("a");
  const PartitionChange updated = store.update("a", "new");
  std::vector<PartitionChange> late;
  store.before_load = [&] { store.publish({added}); };  // older than what the loader sees
  store.after_load = [&] { store.publish({updated, store.remove("a")}); };
  EXPECT_TRUE(store.read().empty());
}

TEST(PartitionCache, LoadsOnceHoweverManyWaitForIt) {
  Store store(options());
  store.publish({store.add("a")});
  constexpr int kThreads = 8;
  std::latch all(kThreads);
  store.before_load = [&] { all.wait(); };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      all.count_down();
      EXPECT_EQ(store.read().size(), 1u);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store.loads, 1);
}

TEST(PartitionCache, TriesALoadThatFailedAgain) {
  Store store(options());
  store.publish({store.add("a")});
  store.after_load = [] { throw std::runtime_error("no"); };
  EXPECT_THROW(store.read(), std::runtime_error);
  EXPECT_THROW(store.read(), std::runtime_error);
  store.publish({store.add("b")});
  store.after_load = [] {};
  EXPECT_EQ(store.read().size(), 2u);
  EXPECT_EQ(store.loads, 3);
}

TEST(PartitionCache, KeepsNothingOfALoadThatFailed) {
  Store store(options());
  store.add("a");
  store.after_load = [] { throw std::runtime_error("no"); };
  EXPECT_THROW(store.read(), std::runtime_error);
  store.after_load = [] {};
  store.remove("a");  // and nobody is told
  EXPECT_TRUE(store.read().empty());
}

TEST(PartitionCache, LoadsAgainForThoseWhoWaitedForALoadThatFailed) {
  Store store(options());
  store.publish({store.add("a")});
  constexpr int kThreads = 4;
  std::latch all(kThreads);
  store.before_load = [&] {
    all.wait();
    if (store.loads == 1) throw std::runtime_error("no");
  };
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      all.count_down();
      try {
        EXPECT_EQ(store.read().size(), 1u);
      } catch (const std::runtime_error&) {
        ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(store.loads, 2);
}

TEST(PartitionCache, LetsWhatTheReaderThrowsThroughAndServesOn) {
  Store store(options());
  store.publish({store.add("a")});
  const PartitionCache::Use refuse = [](const Partition&) { throw std::runtime_error("no"); };
  EXPECT_THROW(store.cache.read("t", kUser, refuse), std::runtime_error);
  EXPECT_THROW(store.cache.try_read("t", kUser, refuse), std::runtime_error);
  store.publish({store.add("b")});
  EXPECT_EQ(store.read().size(), 2u);
}

TEST(PartitionCache, NeverLoadsForAnEventLoop) {
  Store store(options());
  store.publish({store.add("a")});
  EXPECT_FALSE(store.cache.try_read("t", kUser, kNothing));
  EXPECT_EQ(store.loads, 0);
  store.read();
  std::size_t size = 0;
  EXPECT_TRUE(store.cache.try_read("t", kUser,
                                   [&](const Partition& partition) { size = partition.size(); }));
  EXPECT_EQ(size, 1u);
}

TEST(PartitionCache, LeavesWhatTakesLongToOtherThreads) {
  Store store(options(64u << 20, 20));
  std::vector<PartitionChange> many;
  for (int i = 0; i < 20; ++i) many.push_back(store.add(std::to_string(i)));
  EXPECT_TRUE(store.cache.try_settle(many));  // nothing is loaded: nothing to do
  EXPECT_EQ(store.read().size(), 20u);
  EXPECT_TRUE(store.cache.try_read("t", kUser, kNothing));

  for (PartitionChange& change : many) change = store.remove(change.memory->id);
  store.publish(many);
  EXPECT_FALSE(store.cache.try_settle(many));
  EXPECT_FALSE(store.cache.try_read("t", kUser, kNothing));
  store.cache.settle(many);
  EXPECT_TRUE(store.cache.try_settle(many));
  EXPECT_TRUE(store.cache.try_read("t", kUser, kNothing));

  for (int i = 0; i < 21; ++i) store.publish({store.add(std::to_string(i))});
  EXPECT_EQ(store.read().size(), 21u);
  EXPECT_FALSE(store.cache.try_read("t", kUser, kNothing));  // too large
}

TEST(PartitionCache, NeverWaitsOnAnEventLoop) {
  Store store(options());
  store.read();
  std::vector<PartitionChange> changes{store.add("a")};
  store.cache.read("t", kUser, [&](const Partition&) {
    std::thread([&] {
      EXPECT_TRUE(store.cache.try_read("t", kUser, kNothing));
      store.cache.publish(changes);
      EXPECT_FALSE(store.cache.try_settle(changes));
      EXPECT_FALSE(store.cache.try_read("t", kUser, kNothing));
    }).join();
  });
  EXPECT_TRUE(store.cache.try_settle(changes));
  EXPECT_EQ(store.read().size(), 1u);
}

// What a partition of so many memories takes, with what the cache itself needs for it.
std::size_t bytes_of(int memories) {
  Store store(options());
  std::size_t bytes = 0;
  for (int i = 0; i < memories; ++i) store.publish({store.add(std::to_string(i))});
  store.cache.read("t", kUser, [&](const Partition& partition) { bytes = partition.bytes(); });
  return bytes + 1024;
}

TEST(PartitionCache, LetsGoOfWhatWasNotUsedForLongest) {
  Store store(options(bytes_of(10) * 5 / 2));  // two fit
  for (const std::string user : {"a", "b", "c"}) {
    for (int i = 0; i < 10; ++i) {
      store.publish({store.add(user + std::to_string(i), {.user_id = user})});
    }
  }
  const auto read = [&](const std::string& user) {
    EXPECT_EQ(store.read("t", {.user_id = user}).size(), 10u);
    return store.loads.exchange(0);
  };
  EXPECT_EQ(read("a"), 1);
  EXPECT_EQ(read("b"), 1);
  EXPECT_EQ(read("a"), 0);
  EXPECT_EQ(read("c"), 1);  // and b goes
  EXPECT_EQ(read("a"), 0);
  EXPECT_EQ(read("c"), 0);
  EXPECT_EQ(read("b"), 1);
}

TEST(PartitionCache, CountsWhatAPartitionGrowsBy) {
  Store store(options(bytes_of(10) * 5 / 2));
  for (const std::string user : {"a", "b"}) {
    store.publish({store.add(user, {.user_id = user})});
    store.read("t", {.user_id = user});
  }
  EXPECT_EQ(store.loads.exchange(0), 2);
  for (int i = 0; i < 100; ++i) store.publish({store.add(std::to_string(i), {.user_id = "b"})});
  EXPECT_EQ(store.read("t", {.user_id = "b"}).size(), 101u);
  EXPECT_EQ(store.loads.exchange(0), 0);
  store.read("t", {.user_id = "a"});
  EXPECT_EQ(store.loads, 1);
}

TEST(PartitionCache, KeepsAPartitionThatIsLargerThanTheCacheAlone) {
  Store store(options(1));
  store.publish({store.add("a"), store.add("b", {.user_id = "v"})});
  EXPECT_EQ(store.read().size(), 1u);
  EXPECT_EQ(store.read().size(), 1u);
  EXPECT_EQ(store.loads, 1);
  EXPECT_EQ(store.read("t", {.user_id = "v"}).size(), 1u);
  EXPECT_EQ(store.read().size(), 1u);
  EXPECT_EQ(store.loads, 3);
}

TEST(PartitionCache, LetsAReaderFinishWithWhatIsLetGo) {
  Store store(options(1));
  store.publish({store.add("a"), store.add("b", {.user_id = "v"})});
  store.cache.read("t", kUser, [&](const Partition& partition) {
    EXPECT_EQ(store.read("t", {.user_id = "v"}).size(), 1u);
    store.publish({store.add("c")});
    EXPECT_EQ(texts_in(partition).size(), 1u);
  });
  EXPECT_EQ(store.read().size(), 2u);
}

TEST(PartitionCache, IndexesALargePartitionBesideTheSearches) {
  Store store(options());
  for (int i = 0; i < 1'001; ++i) store.add(std::to_string(i));
  EXPECT_EQ(store.read().size(), 1'001u);
  store.publish({store.add("while it is indexed"), store.remove("7")});
  const auto wanted = [&] {
    bool wants = false;
    store.cache.read("t", kUser, [&](const Partition& p) { wants = p.wants_index(); });
    return wants;
  };
  while (wanted()) std::this_thread::yield();
  EXPECT_EQ(store.read(), store.texts("t", kUser));
}

TEST(PartitionCache, EndsWhileAPartitionIsIndexed) {
  Store store(options());
  for (int i = 0; i < 1'001; ++i) store.add(std::to_string(i));
  EXPECT_EQ(store.read().size(), 1'001u);
}

// Writers commit and announce under one lock, as a store's writer thread does; readers look, load
// and let go at the same time. A writer finds its own change in the next read.
void change_and_read(PartitionCacheOptions given) {
  Store store(std::move(given));
  std::mutex writing;
  std::atomic<bool> done = false;
  const std::vector<Scope> scopes{{"u", "", ""}, {"u", "a", ""}, {"", "a", "s"}, {"", "", "s"}};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const std::string id = std::to_string(t) + "." + std::to_string(i);
        const Scope scope{"u", i % 2 == 0 ? "a" : "", i % 3 == 0 ? "s" : ""};
        std::vector<PartitionChange> changes;
        {
          const std::lock_guard lock(writing);
          changes.push_back(store.add(id, scope));
          if (i % 4 == 0) changes.push_back(store.update(id, "changed " + id));
          if (i % 5 == 0) changes.push_back(store.remove(id));
          store.cache.publish(changes);
        }
        if (!store.cache.try_settle(changes)) store.cache.settle(changes);
        const Texts texts = store.read("t", scope);
        const auto found = texts.find(id);
        ASSERT_EQ(found == texts.end(), i % 5 == 0);
        if (found != texts.end()) {
          EXPECT_EQ(found->second, (i % 4 == 0 ? "apple changed " : "apple ") + id);
        }
      }
    });
  }
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = static_cast<std::size_t>(t); !done; ++i) {
        const Scope& scope = scopes[i % scopes.size()];
        if (!store.cache.try_read("t", scope, kNothing)) store.read("t", scope);
      }
    });
  }
  for (int t = 0; t < 3; ++t) threads[static_cast<std::size_t>(t)].join();
  done = true;
  for (int t = 3; t < 6; ++t) threads[static_cast<std::size_t>(t)].join();
  for (const Scope& scope : scopes) EXPECT_EQ(store.read("t", scope), store.texts("t", scope));
}

TEST(PartitionCache, StaysExactUnderConcurrentChanges) { change_and_read(options()); }

TEST(PartitionCache, StaysExactWhenPartitionsComeAndGo) { change_and_read(options(20'000)); }

TEST(PartitionCache, StaysExactWhileItIndexes) {
  PartitionCacheOptions given = options();
  given.partition.hnsw_threshold = 20;
  change_and_read(given);
}

}  // namespace
}  // namespace maas::ltm
