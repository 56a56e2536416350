// What several processes on one server may rely on: two stores share nothing but the server.
#include "contract/memory_store_contract.hpp"
#include "core/error.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace maas::ltm {
namespace {

class MemoryStoreReplicas : public MemoryStoreContract {
 protected:
  void SetUp() override {
    MemoryStoreContract::SetUp();
    if (engine_) other_ = engine_->store("model");
  }
  void TearDown() override {
    if (engine_) engine_->running.loops.abort();
    other_.reset();
    MemoryStoreContract::TearDown();
  }

  MemoryStore& store(std::size_t number) { return number % 2 ? *other_ : *store_; }

  Texts worded_by_other(const std::string& text) {
    Texts texts =
        texts_of_hits(run(other_->search("t", user_, {.text = text, .limit = kEverything})));
    std::ranges::sort(texts);
    return texts;
  }

  std::unique_ptr<MemoryStore> other_;
};

TEST_P(MemoryStoreReplicas, FindWhatTheOtherHasChangedAtOnce) {
  EXPECT_TRUE(worded_by_other("tea coffee").empty());  // in memory from now on
  const MemoryPtr memory = add("tea");
  EXPECT_EQ(worded_by_other("tea coffee"), Texts{"tea"});
  update(memory, "coffee");
  EXPECT_EQ(worded_by_other("tea coffee"), Texts{"coffee"});
  EXPECT_EQ(run(other_->get("t", memory->id))->text, "coffee");
  remove(memory->id);
  EXPECT_TRUE(worded_by_other("tea coffee").empty());
  add_all({"tea", "more tea"}, {.user_id = "u", .agent_id = "a"});
  EXPECT_EQ(worded_by_other("tea"), (Texts{"more tea", "tea"}));
  run(store_->remove_scope("t", {.agent_id = "a"}));
  EXPECT_TRUE(worded_by_other("tea").empty());
}

TEST_P(MemoryStoreReplicas, RankAlike) {
  add_all({"green tea in the morning", "coffee at noon", "tea and cake", "a walk"});
  hits("tea");
  add("more green tea");
  const std::vector<SearchHit> here = hits("green tea");
  const std::vector<SearchHit> there =
      run(other_->search("t", user_, {.text = "green tea", .vector = vector_of("green tea")}));
  ASSERT_EQ(here.size(), there.size());
  for (std::size_t i = 0; i < here.size(); ++i) {
    EXPECT_EQ(here[i].memory->id, there[i].memory->id);
    EXPECT_DOUBLE_EQ(here[i].score, there[i].score);
  }
}

TEST_P(MemoryStoreReplicas, TakeAVectorThatTheOtherHasSet) {
  NewMemory plain = said("tea");
  plain.vector.clear();
  const MemoryPtr memory = add(std::move(plain)).memory;
  EXPECT_TRUE(run(other_->nearest("t", user_, vector_of("tea"), 1)).empty());
  EXPECT_EQ(run(store_->set_vectors("t", {memory}, {vector_of("tea")})), 1u);
  EXPECT_EQ(run(other_->nearest("t", user_, vector_of("tea"), 1)).size(), 1u);
}

TEST_P(MemoryStoreReplicas, StoreATextThatBothAddAtOnceOnce) {
  std::atomic<int> stored = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 15; ++i) {
        std::vector<NewMemory> memories;
        memories.push_back(said("text " + std::to_string(i)));
        if (!run(store(t).add("t", std::move(memories)), t / 2).at(0).existed) ++stored;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, 15);
  EXPECT_EQ(texts().size(), 15u);
  EXPECT_EQ(worded("text"), worded_by_other("text"));
}

TEST_P(MemoryStoreReplicas, LoseNoUpdateOfSixtyFourWritersAndTellEachOnce) {
  const MemoryPtr memory = add("0");
  constexpr std::size_t kWriters = 64;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kWriters; ++t) {
    threads.emplace_back([&, t] {
      while (true) {
        try {
          const MemoryPtr current = run(store(t).get("t", memory->id), t / 2 % 2);
          Memory changed = *current;
          changed.text = std::to_string(std::stoi(current->text) + 1);
          if (run(store(t).update("t", changed, vector_of(changed.text)), t / 2 % 2)) return;
        } catch (const Error& error) {
          // Too many at once: nothing was changed.
          ASSERT_EQ(error.code(), Errc::unavailable) << error.what() << error.detail();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(run(other_->get("t", memory->id))->text, std::to_string(kWriters));
  const std::vector<HistoryEntry> entries = history(memory->id);
  ASSERT_EQ(entries.size(), kWriters + 1);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].new_text, std::to_string(i));
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, MemoryStoreReplicas,
                         testing::Values("mongodb", "mongodb_without_transactions", "documentdb",
                                         "atlas"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace maas::ltm
