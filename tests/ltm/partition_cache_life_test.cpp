#include "ltm/partition_cache.hpp"
#include "ltm/partition_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

namespace maas::ltm {
namespace {

using namespace test;
using Store = PartitionStore;

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
