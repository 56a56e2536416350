#include "ltm/partition_cache.hpp"

#include "ltm/partition_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <map>
#include <stdexcept>
#include <thread>

namespace maas::ltm {
namespace {

using namespace test;
using Store = PartitionStore;

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

}  // namespace
}  // namespace maas::ltm
