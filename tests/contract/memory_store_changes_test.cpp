// The contract of MemoryStore: changing, removing, history, expiry.
#include "contract/memory_store_contract.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace maas::ltm {
namespace {

// Changing

TEST_P(MemoryStoreContract, UpdatesEveryFieldThatMayChange) {
  Memory changed = *add("I live in Lisbon", {"u", "a", "s"});
  changed.text = "I live in Porto";
  changed.metadata = R"({"a":1})";
  changed.category = Category::fact;
  changed.speaker = "Ann";
  changed.created_at += 1h;
  changed.updated_at += 2h;
  changed.expires_at = kStart + 100h;

  const MemoryPtr updated = run(store_->update("t", changed, vector_of(changed.text)));

  ASSERT_TRUE(updated);
  Memory expected = changed;
  expected.version = 2;
  expect_same(*updated, expected);
  EXPECT_EQ(updated->sequence, changed.sequence);
  expect_same(*run(store_->get("t", changed.id)), expected);
  expect_same(*list().at(0), expected);
  expect_same(*hits("Porto").at(0).memory, expected);
}

TEST_P(MemoryStoreContract, TakesOptionalFieldsAwayAgain) {
  NewMemory memory = mortal("tea", 100h);
  memory.memory.metadata = R"({"a":1})";
  Memory changed = *add(std::move(memory)).memory;
  changed.metadata.clear();
  changed.expires_at.reset();
  ASSERT_TRUE(run(store_->update("t", changed, std::nullopt)));
  const MemoryPtr stored = run(store_->get("t", changed.id));
  EXPECT_EQ(stored->metadata, "");
  EXPECT_EQ(stored->expires_at, std::nullopt);
}

TEST_P(MemoryStoreContract, LeavesAMemoryWithItsOwner) {
  Memory changed = *add("tea");
  changed.scope = {.user_id = "somebody else"};
  changed.text = "coffee";
  EXPECT_TRUE(worded("coffee").empty());  // in memory, as is the other's
  EXPECT_TRUE(worded("coffee", changed.scope).empty());
  const MemoryPtr updated = run(store_->update("t", changed, std::nullopt));
  ASSERT_TRUE(updated);
  EXPECT_EQ(updated->scope, user_);
  EXPECT_EQ(worded("coffee"), Texts{"coffee"});
  EXPECT_TRUE(worded("coffee", changed.scope).empty());
  EXPECT_EQ(run(store_->get("t", changed.id))->scope, user_);
  EXPECT_TRUE(texts({.user_id = "somebody else"}).empty());
}

TEST_P(MemoryStoreContract, RefusesToUpdateAnotherVersion) {
  const MemoryPtr first = add("one");
  const MemoryPtr second = update(first, "two");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->version, 2);
  EXPECT_EQ(update(first, "three"), nullptr);
  Memory ahead = *second;
  ahead.version = 3;
  EXPECT_EQ(run(store_->update("t", ahead, std::nullopt)), nullptr);
  EXPECT_EQ(texts(), Texts{"two"});
  EXPECT_EQ(history(first->id).size(), 2u);
  EXPECT_EQ(update(second, "three")->version, 3);
}

TEST_P(MemoryStoreContract, RefusesToUpdateWhatIsGone) {
  const MemoryPtr removed = add("one");
  remove(removed->id);
  EXPECT_EQ(update(removed, "two"), nullptr);
  const MemoryPtr ended = add(mortal("three", 1s)).memory;
  engine_->pass(1s);
  EXPECT_EQ(update(ended, "four"), nullptr);
  EXPECT_TRUE(texts().empty());
  EXPECT_TRUE(found("two four").empty());
}

TEST_P(MemoryStoreContract, KeepsBothMemoriesThatAnUpdateMadeEqual) {
  add("tea");
  const MemoryPtr other = add("coffee");
  ASSERT_TRUE(update(other, "tea"));
  EXPECT_EQ(texts(), (Texts{"tea", "tea"}));
  EXPECT_TRUE(add(said("tea")).existed);
  EXPECT_EQ(worded("tea").size(), 2u);
  remove(other->id);
  EXPECT_EQ(texts().size(), 1u);
}

TEST_P(MemoryStoreContract, KeepsTheVectorWhenNoneIsGiven) {
  Memory memory = *add("green tea");
  memory.metadata = R"({"a":1})";
  EXPECT_EQ(hits("green tea").size(), 1u);
  ASSERT_TRUE(run(store_->update("t", memory, std::nullopt)));
  for (int round = 0; round < 2; ++round) {
    const std::vector<SearchHit> found = hits("green tea");
    ASSERT_EQ(found.size(), 1u);
    ASSERT_TRUE(found[0].explanation.cosine);
    EXPECT_GT(*found[0].explanation.cosine, 0.9);
    restart();
  }
}

TEST_P(MemoryStoreContract, LosesNoUpdateOfManyAtOnce) {
  const MemoryPtr memory = add("0");
  constexpr int kThreads = 4;
  constexpr int kUpdates = 15;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto loop = static_cast<std::size_t>(t % 2);
      for (int done = 0; done < kUpdates;) {
        const MemoryPtr current = run(store_->get("t", memory->id), loop);
        if (update(current, std::to_string(std::stoi(current->text) + 1), loop)) ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const MemoryPtr last = run(store_->get("t", memory->id));
  EXPECT_EQ(last->text, std::to_string(kThreads * kUpdates));
  EXPECT_EQ(last->version, kThreads * kUpdates + 1);
  EXPECT_EQ(history(memory->id).size(), static_cast<std::size_t>(kThreads * kUpdates + 1));
}

// Removing

TEST_P(MemoryStoreContract, RemovesAMemory) {
  const MemoryPtr memory = add("tea");
  add("coffee");
  EXPECT_TRUE(remove(memory->id));
  EXPECT_EQ(run(store_->get("t", memory->id)), nullptr);
  EXPECT_EQ(texts(), Texts{"coffee"});
  EXPECT_EQ(worded("tea coffee"), Texts{"coffee"});
  EXPECT_FALSE(remove(memory->id));
}

TEST_P(MemoryStoreContract, SaysForEachIdWhetherItWasThere) {
  const std::string a = add("a")->id;
  const std::string b = add("b")->id;
  const std::vector<std::string> ids{a, "unknown", b, a};
  EXPECT_EQ(run(store_->remove("t", ids)), (std::vector<bool>{true, false, true, false}));
  EXPECT_TRUE(texts().empty());
  EXPECT_TRUE(run(store_->remove("t", {})).empty());
}

TEST_P(MemoryStoreContract, RemovesAScope) {
  add_all({"1", "2"}, {.user_id = "u"});
  add_all({"3"}, {"u", "a", ""});
  add_all({"4"}, {"v", "a", ""});
  add_all({"5"}, {"", "a", ""});
  EXPECT_EQ(run(store_->remove_scope("t", {"u", "a", ""})), 1u);
  EXPECT_EQ(texts(), (Texts{"2", "1"}));
  EXPECT_EQ(run(store_->remove_scope("t", user_)), 2u);
  EXPECT_EQ(run(store_->remove_scope("t", user_)), 0u);
  EXPECT_TRUE(texts().empty());
  EXPECT_TRUE(found("1 2 3").empty());
  EXPECT_EQ(texts({.agent_id = "a"}), (Texts{"5", "4"}));
  EXPECT_EQ(worded("3 4 5", {.agent_id = "a"}), (Texts{"4", "5"}));
}

TEST_P(MemoryStoreContract, RemovesALargeScope) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 2'500; ++i) memories.push_back(said("tea " + std::to_string(i)));
  const std::vector<Added> added = run(store_->add("t", std::move(memories)));
  add("tea", {.user_id = "v"});
  EXPECT_EQ(worded("tea").size(), 2'500u);
  EXPECT_EQ(run(store_->remove_scope("t", user_)), 2'500u);
  EXPECT_TRUE(texts().empty());
  EXPECT_TRUE(worded("tea").empty());
  EXPECT_EQ(texts({.user_id = "v"}).size(), 1u);
  EXPECT_EQ(history(added.back().memory->id).size(), 2u);
}

TEST_P(MemoryStoreContract, RemovesExpiredMemoriesOfAScopeWithoutCountingThem) {
  const std::string id = add(mortal("ended", 1s)).memory->id;
  add("alive");
  engine_->pass(2s);
  EXPECT_EQ(run(store_->remove_scope("t", user_)), 1u);
  EXPECT_FALSE(run(store_->sweep()));
  EXPECT_EQ(history(id).size(), 2u);
}

// History

TEST_P(MemoryStoreContract, TellsAMemorysHistoryOldestFirst) {
  const MemoryPtr first = add("one");
  engine_->pass(1s);
  const MemoryPtr second = update(first, "two");
  engine_->pass(1s);
  const Timestamp removed_at = engine_->time();
  remove(first->id);

  const std::vector<HistoryEntry> entries = history(first->id);

  ASSERT_EQ(entries.size(), 3u);
  std::set<std::string> ids;
  for (const HistoryEntry& entry : entries) {
    ids.insert(entry.id);
    EXPECT_EQ(entry.memory_id, first->id);
    EXPECT_EQ(entry.created_at, first->created_at);
  }
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(entries[0].event, Event::add);
  EXPECT_EQ(entries[0].old_text, std::nullopt);
  EXPECT_EQ(entries[0].new_text, "one");
  EXPECT_EQ(entries[0].updated_at, first->updated_at);
  EXPECT_EQ(entries[1].event, Event::update);
  EXPECT_EQ(entries[1].old_text, "one");
  EXPECT_EQ(entries[1].new_text, "two");
  EXPECT_EQ(entries[1].updated_at, second->updated_at);
  EXPECT_EQ(entries[2].event, Event::remove);
  EXPECT_EQ(entries[2].old_text, "two");
  EXPECT_EQ(entries[2].new_text, std::nullopt);
  EXPECT_EQ(entries[2].updated_at, removed_at);
}

TEST_P(MemoryStoreContract, TellsTheHistoryOfAnEmptyText) {
  const MemoryPtr memory = add("");
  EXPECT_EQ(history(memory->id).at(0).new_text, "");
}

TEST_P(MemoryStoreContract, KeepsTheHistoryOfWhatIsRemovedInAnyWay) {
  const std::string by_id = add("by id")->id;
  const std::string by_scope = add("by scope", {.user_id = "v"})->id;
  const std::string by_expiry = add(mortal("by expiry", 1s)).memory->id;
  const std::string by_sweep = add(mortal("by sweep", 10s)).memory->id;
  remove(by_id);
  run(store_->remove_scope("t", {.user_id = "v"}));
  engine_->pass(2s);
  EXPECT_EQ(run(store_->remove_expired("t")), std::vector<std::string>{by_expiry});
  engine_->pass(20s);
  while (run(store_->sweep())) {
  }
  restart();
  for (const std::string& id : {by_id, by_scope, by_expiry, by_sweep}) {
    const std::vector<HistoryEntry> entries = history(id);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[1].event, Event::remove);
    EXPECT_EQ(entries[1].old_text, entries[0].new_text);
  }
}

// Expiry

TEST_P(MemoryStoreContract, HidesAMemoryFromTheMomentItExpires) {
  const MemoryPtr memory = add(mortal("tea", 1s)).memory;
  add("coffee");
  engine_->pass(*memory->expires_at - engine_->time() - 1us);
  EXPECT_TRUE(run(store_->get("t", memory->id)));
  EXPECT_EQ(texts().size(), 2u);
  EXPECT_EQ(worded("tea coffee"), (Texts{"coffee", "tea"}));
  engine_->pass(1us);
  EXPECT_FALSE(run(store_->get("t", memory->id)));
  EXPECT_EQ(texts(), Texts{"coffee"});
  EXPECT_EQ(worded("tea coffee"), Texts{"coffee"});
  EXPECT_EQ(history(memory->id).size(), 1u);
}

TEST_P(MemoryStoreContract, RemovesWhatHasExpiredThoughItWasInvisible) {
  const std::string id = add(mortal("tea", 1s)).memory->id;
  engine_->pass(2s);
  EXPECT_FALSE(remove(id));
  EXPECT_EQ(history(id).size(), 2u);
  EXPECT_FALSE(run(store_->sweep()));
}

TEST_P(MemoryStoreContract, FillsAPageWithWhatHasNotExpired) {
  for (int i = 0; i < 10; ++i) {
    const std::string text = std::to_string(i);
    add(i % 2 ? mortal(text, 1s) : said(text));
  }
  engine_->pass(2s);
  EXPECT_EQ(texts_of(list(user_, first(3))), (Texts{"8", "6", "4"}));
}

TEST_P(MemoryStoreContract, RemovesWhatHasExpiredOfOneTenant) {
  std::set<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.insert(add(mortal(std::to_string(i), 1s)).memory->id);
  add(mortal("later", 1h));
  add("never");
  add(mortal("theirs", 1s), "other");
  engine_->pass(2s);
  const std::vector<std::string> removed = run(store_->remove_expired("t"));
  EXPECT_EQ(removed.size(), 3u);
  EXPECT_EQ(std::set<std::string>(removed.begin(), removed.end()), ids);
  EXPECT_TRUE(run(store_->remove_expired("t")).empty());
  EXPECT_EQ(texts(), (Texts{"never", "later"}));
  EXPECT_EQ(run(store_->remove_expired("other")).size(), 1u);
}

TEST_P(MemoryStoreContract, SweepsWhatHasExpiredOfAllTenants) {
  for (const char* tenant : {"a", "b"}) {
    std::vector<NewMemory> memories;
    for (int i = 0; i < 500; ++i) memories.push_back(mortal(std::to_string(i), 1h));
    run(store_->add(tenant, std::move(memories)));
  }
  add(said("alive"), "a");
  EXPECT_FALSE(run(store_->sweep()));
  engine_->pass(2h);
  int sweeps = 0;
  while (run(store_->sweep())) ++sweeps;
  EXPECT_GT(sweeps, 0);
  EXPECT_TRUE(run(store_->remove_expired("a")).empty());
  EXPECT_TRUE(run(store_->remove_expired("b")).empty());
  EXPECT_EQ(texts_of(list(user_, {}, "a")), Texts{"alive"});
}

TEST_P(MemoryStoreContract, LetsAMemoryLiveLongerOrShorter) {
  Memory first = *add(mortal("first", 1s)).memory;
  Memory second = *add("second");
  first.expires_at.reset();
  second.expires_at = engine_->time() + 1s;
  ASSERT_TRUE(run(store_->update("t", first, std::nullopt)));
  ASSERT_TRUE(run(store_->update("t", second, std::nullopt)));
  EXPECT_EQ(worded("first second").size(), 2u);
  engine_->pass(2s);
  EXPECT_EQ(texts(), Texts{"first"});
  EXPECT_EQ(worded("first second"), Texts{"first"});
}

}  // namespace
}  // namespace maas::ltm
