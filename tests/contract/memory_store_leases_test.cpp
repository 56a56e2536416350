// What a process that died in the middle of a change has left on a server without transactions,
// step by step, and what is made of it: also once the server has them.
#include "contract/memory_store_contract.hpp"
#include "core/error.hpp"
#include "ltm/memory_bson.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_queries.hpp"
#include "ltm/same_text.hpp"
#include "ltm/scope_key.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace maas::ltm {
namespace {

class MemoryStoreLeases : public MemoryStoreContract {
 protected:
  void SetUp() override {
    MemoryStoreContract::SetUp();
    if (!engine_) return;
    server_.emplace(static_cast<MongoEngine&>(*engine_).server());
    other_ = engine_->store("model");
  }
  void TearDown() override {
    if (engine_) engine_->running.loops.abort();
    other_.reset();
    server_.reset();
    MemoryStoreContract::TearDown();
  }

  // Takes the lease of an owner as one who dies with it; the number of his change.
  std::int64_t die(std::int64_t lease_ms = 0, const Scope& scope = {.user_id = "u"}) {
    std::int64_t counted = 0;
    server_->use([&](MongoSession& session) {
      Document filter, set, date, update;
      filter.set("_id", scope_key("t", scope));
      update.set("$set", set.set("lease_holder", "gone").set("lease_ms", lease_ms));
      update.set("$currentDate", date.set("leased_at", true));
      update.set("$setOnInsert", scope_filter("t", scope).set("n", std::int64_t{0}));
      const MongoSession::Update updates[] = {{Document(filter), std::move(update)}};
      session.update(Collection::owners, updates, true);
      session.find(Collection::owners, filter, {}, [&counted](const _bson_t* document) {
        counted = number_field(document, "n");
        return false;
      });
    });
    return counted + 1;
  }

  void leave_history(const Memory& memory, Event event, std::int64_t change) {
    const std::string text = memory.text;
    const Document documents[] = {history_document(
        "t", memory, event == Event::add ? nullptr : &text,
        event == Event::remove ? nullptr : &text, event, memory.updated_at, change)};
    server_->use([&](MongoSession& session) { session.insert(Collection::history, documents); });
  }

  void leave_memory(const NewMemory& added, std::int64_t change) {
    const Memory& memory = added.memory;
    const Document documents[] = {
        memory_document("t", memory, digest_of(memory.scope, memory.category, memory.text), change,
                        added.vector, {"model", kDims})};
    server_->use([&](MongoSession& session) { session.insert(Collection::memories, documents); });
  }

  void leave_update(const Memory& memory, std::int64_t change) {
    Document filter;
    filter.set("_id", document_id("t", memory.id));
    const MongoSession::Update updates[] = {
        {std::move(filter),
         memory_update(memory, digest_of(memory.scope, memory.category, memory.text), change,
                       vector_of(memory.text), {"model", kDims})}};
    server_->use([&](MongoSession& session) { session.update(Collection::memories, updates); });
  }

  static Memory next(const Memory& memory, std::string text) {
    Memory changed = memory;
    changed.text = std::move(text);
    ++changed.version;
    return changed;
  }

  // Both stores find what is stored; the history tells it.
  void expect_whole(Texts stored) {
    std::ranges::sort(stored);
    Texts listed = texts();
    std::ranges::sort(listed);
    EXPECT_EQ(listed, stored);
    EXPECT_EQ(worded("tea coffee milk"), stored);
    Texts others = texts_of_hits(
        run(other_->search("t", user_, {.text = "tea coffee milk", .limit = kEverything})));
    std::ranges::sort(others);
    EXPECT_EQ(others, stored);
    for (const MemoryPtr& memory : list(user_, first(kEverything))) {
      const std::vector<HistoryEntry> entries = history(memory->id);
      ASSERT_EQ(entries.size(), static_cast<std::size_t>(memory->version));
      EXPECT_EQ(entries.back().new_text, memory->text);
    }
  }

  // Both have the scope in memory.
  void warm() {
    worded("tea");
    run(other_->search("t", user_, {.text = "tea"}));
  }

  std::optional<MongoClient> server_;
  std::unique_ptr<MemoryStore> other_;
};

TEST_P(MemoryStoreLeases, WhatWasNotBegunIsInNobodysWay) {
  add("tea");
  warm();
  die();
  add("more tea");
  expect_whole({"tea", "more tea"});
}

TEST_P(MemoryStoreLeases, AnAdditionThatTheHistoryAloneTellsIsForgotten) {
  add("tea");
  warm();
  const NewMemory lost = said("coffee");
  leave_history(lost.memory, Event::add, die());
  EXPECT_FALSE(add(said("coffee")).existed);
  EXPECT_TRUE(history(lost.memory.id).empty());
  expect_whole({"tea", "coffee"});
}

TEST_P(MemoryStoreLeases, AnAdditionThatWasWrittenIsKept) {
  warm();
  const NewMemory written = said("coffee");
  const std::int64_t change = die();
  leave_history(written.memory, Event::add, change);
  leave_memory(written, change);
  EXPECT_TRUE(add(said("coffee")).existed);
  add("tea");
  expect_whole({"tea", "coffee"});
}

TEST_P(MemoryStoreLeases, OfAnAdditionThatWasWrittenInPartThePartIsKept) {
  warm();
  const NewMemory written = said("coffee"), lost = said("milk");
  const std::int64_t change = die();
  leave_history(written.memory, Event::add, change);
  leave_history(lost.memory, Event::add, change);
  leave_memory(written, change);
  add("tea");
  EXPECT_TRUE(history(lost.memory.id).empty());
  expect_whole({"tea", "coffee"});
}

TEST_P(MemoryStoreLeases, AnUpdateThatTheHistoryAloneTellsIsForgotten) {
  const MemoryPtr memory = add("tea");
  warm();
  leave_history(next(*memory, "coffee"), Event::update, die());
  ASSERT_TRUE(update(memory, "milk"));
  expect_whole({"milk"});
}

TEST_P(MemoryStoreLeases, AnUpdateThatWasWrittenIsKept) {
  const MemoryPtr memory = add("tea");
  warm();
  const Memory changed = next(*memory, "coffee");
  const std::int64_t change = die();
  leave_history(changed, Event::update, change);
  leave_update(changed, change);
  EXPECT_FALSE(update(memory, "milk"));
  EXPECT_EQ(texts(), Texts{"coffee"});
  ASSERT_TRUE(update(std::make_shared<const Memory>(changed), "milk"));
  expect_whole({"milk"});
}

TEST_P(MemoryStoreLeases, ARemovalThatTheHistoryTellsIsMade) {
  const MemoryPtr memory = add("tea");
  warm();
  leave_history(*memory, Event::remove, die());
  add("coffee");
  EXPECT_FALSE(run(store_->get("t", memory->id)));
  ASSERT_EQ(history(memory->id).size(), 2u);
  EXPECT_EQ(history(memory->id).back().event, Event::remove);
  expect_whole({"coffee"});
}

TEST_P(MemoryStoreLeases, AScopeIsRemovedPastThem) {
  add("tea", {.user_id = "u", .agent_id = "a"});
  add("coffee", {.user_id = "u", .agent_id = "b"});
  die(0, {.user_id = "u", .agent_id = "b"});
  EXPECT_EQ(run(store_->remove_scope("t", user_)), 2u);
  expect_whole({});
}

TEST_P(MemoryStoreLeases, OneThatHasNotEndedIsWaitedForAndNotTouched) {
  const MemoryPtr memory = add("tea");
  const std::int64_t change = die(3'600'000);
  leave_history(*memory, Event::remove, change);
  try {
    add("coffee");
    FAIL() << "the lease of another was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable);
  }
  EXPECT_EQ(texts(), Texts{"tea"});
  EXPECT_EQ(history(memory->id).size(), 2u);
}

TEST_P(MemoryStoreLeases, ThoseOfSeveralOwnersAreTakenWithoutWaitingForEachOther) {
  constexpr int kRounds = 8;
  std::vector<std::string> ids[2];
  for (int i = 0; i < 2 * kRounds; ++i) {
    for (const char* agent : {"a", "b"}) {
      const Scope scope{.user_id = "u", .agent_id = agent};
      ids[i % 2].push_back(add("tea " + std::to_string(i), scope)->id);
    }
  }
  std::vector<std::thread> threads;
  std::atomic<int> removed = 0;
  for (std::size_t t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < kRounds; ++round) {
        std::vector<std::string> pair(ids[t].begin() + 2 * round, ids[t].begin() + 2 * round + 2);
        if (t == 1) std::ranges::reverse(pair);
        MemoryStore& store = t == 0 ? *store_ : *other_;
        for (const bool was_there : run(store.remove("t", pair), t)) removed += was_there;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(removed, 4 * kRounds);
  expect_whole({});
}

INSTANTIATE_TEST_SUITE_P(Engines, MemoryStoreLeases,
                         testing::Values("mongodb_without_transactions", "mongodb"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace maas::ltm
