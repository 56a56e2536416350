// The contract of MemoryStore: adding, scopes and tenants, listing.
#include "contract/memory_store_contract.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace maas::ltm {
namespace {

// Adding and getting

TEST_P(MemoryStoreContract, KeepsEveryFieldOfAMemory) {
  NewMemory full = said(std::string("nul \0 inside ü 😀", 20), {"u", "a", "s"});
  full.memory.category = Category::preference;
  full.memory.metadata = R"({"a":{"b":[1,2.5,"ü"]}})";
  full.memory.speaker = "Ann";
  full.memory.created_at = kStart - std::chrono::hours(24 * 365 * 70) + 1us;
  full.memory.expires_at = kStart + 100h + 3us;
  const Memory given = full.memory;

  const Added added = add(std::move(full));

  EXPECT_FALSE(added.existed);
  expect_same(*added.memory, given);
  expect_same(*run(store_->get("t", given.id)), given);
  expect_same(*list().at(0), given);
  expect_same(*hits("inside").at(0).memory, given);
}

TEST_P(MemoryStoreContract, GivesSequencesThatRise) {
  std::int64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    const MemoryPtr memory = add("memory " + std::to_string(i));
    EXPECT_GT(memory->sequence, last);
    EXPECT_EQ(run(store_->get("t", memory->id))->sequence, memory->sequence);
    last = memory->sequence;
    if (i == 2) remove(memory->id);
  }
}

TEST_P(MemoryStoreContract, AddsInTheGivenOrder) {
  std::vector<NewMemory> memories;
  for (const char* text : {"first", "second", "third"}) memories.push_back(said(text));
  for (NewMemory& each : memories) each.memory.created_at = kStart;
  const std::vector<Added> added = run(store_->add("t", std::move(memories)));
  ASSERT_EQ(added.size(), 3u);
  EXPECT_EQ(added[0].memory->text, "first");
  EXPECT_LT(added[0].memory->sequence, added[1].memory->sequence);
  EXPECT_LT(added[1].memory->sequence, added[2].memory->sequence);
}

TEST_P(MemoryStoreContract, AddsNothing) {
  EXPECT_TRUE(run(store_->add("t", {})).empty());
  EXPECT_TRUE(texts().empty());
}

TEST_P(MemoryStoreContract, KnowsNothingOfAnUnknownId) {
  EXPECT_EQ(run(store_->get("t", "unknown")), nullptr);
  EXPECT_EQ(run(store_->get("t", "")), nullptr);
  EXPECT_TRUE(history("unknown").empty());
  EXPECT_FALSE(remove("unknown"));
  EXPECT_EQ(run(store_->update("t", Memory{.id = "unknown"}, std::nullopt)), nullptr);
}

TEST_P(MemoryStoreContract, KeepsLongTexts) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 5; ++i) {
    memories.push_back(said(std::to_string(i) + std::string(300'000, 'x')));
  }
  run(store_->add("t", std::move(memories)));
  EXPECT_EQ(texts().size(), 5u);
  EXPECT_EQ(list(user_, first(2)).at(1)->text.size(), 300'001u);
}

TEST_P(MemoryStoreContract, KeepsManyInOneCommit) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 2'000; ++i) memories.push_back(said("memory number " + std::to_string(i)));
  const std::vector<Added> added = run(store_->add("t", std::move(memories)));
  EXPECT_EQ(added.size(), 2'000u);
  EXPECT_EQ(texts().size(), 2'000u);
  EXPECT_EQ(hits("memory").size(), 2'000u);
}

// The same text

TEST_P(MemoryStoreContract, DoesNotStoreTheSameTextAgain) {
  const MemoryPtr first = add("I like Tea");
  const Added again = add(said("I like Tea"));
  EXPECT_TRUE(again.existed);
  expect_same(*again.memory, *first);
  EXPECT_EQ(again.memory->sequence, first->sequence);
  EXPECT_EQ(texts().size(), 1u);
  EXPECT_EQ(history(first->id).size(), 1u);
  EXPECT_EQ(hits("tea").size(), 1u);
}

TEST_P(MemoryStoreContract, ComparesTextsFolded) {
  add("I like ﬁne  Café");
  for (const char* same : {"i LIKE fine café", "  I\tlike\nfine cafe\u0301 ", "Ｉ like ﬁne CAFÉ"}) {
    EXPECT_TRUE(add(said(same)).existed) << same;
  }
  for (const char* other : {"I like fine cafe", "Ilike fine café", "I like fine café.", ""}) {
    EXPECT_FALSE(add(said(other)).existed) << other;
  }
}

TEST_P(MemoryStoreContract, FindsTheSameTextInTheListItself) {
  std::vector<NewMemory> memories;
  for (const char* text : {"one", "two", "ONE", "two"}) memories.push_back(said(text));
  const std::vector<Added> added = run(store_->add("t", std::move(memories)));
  ASSERT_EQ(added.size(), 4u);
  EXPECT_FALSE(added[0].existed);
  EXPECT_FALSE(added[1].existed);
  EXPECT_TRUE(added[2].existed);
  EXPECT_EQ(added[2].memory->id, added[0].memory->id);
  EXPECT_EQ(added[2].memory->text, "one");
  EXPECT_EQ(added[3].memory->id, added[1].memory->id);
  EXPECT_EQ(texts(), (Texts{"two", "one"}));
}

TEST_P(MemoryStoreContract, StoresTheSameTextOncePerScope) {
  const std::vector<Scope> scopes{{"u", "", ""},  {"u", "a", ""}, {"u", "a", "s"}, {"", "a", ""},
                                  {"", "u", ""},  {"", "", "u"},  {"ua", "", ""},  {"a", "u", ""},
                                  {"u", "", "a"}, {"u:1", "", ""}};
  for (const Scope& scope : scopes) EXPECT_FALSE(add(said("tea", scope)).existed);
  for (const Scope& scope : scopes) EXPECT_TRUE(add(said("tea", scope)).existed);
}

TEST_P(MemoryStoreContract, StoresTheSameTextOncePerCategory) {
  for (const Category category :
       {Category::semantic, Category::episodic, Category::fact, Category::preference}) {
    NewMemory memory = said("tea");
    memory.memory.category = category;
    EXPECT_FALSE(add(memory).existed);
    memory.memory.id = make_id();
    EXPECT_TRUE(add(memory).existed);
  }
  EXPECT_EQ(texts().size(), 4u);
}

TEST_P(MemoryStoreContract, StoresTheSameTextOncePerTenant) {
  EXPECT_FALSE(add(said("tea"), "a").existed);
  EXPECT_FALSE(add(said("tea"), "b").existed);
  EXPECT_TRUE(add(said("tea"), "a").existed);
}

TEST_P(MemoryStoreContract, StoresATextAgainThatHasExpiredOrIsRemoved) {
  const MemoryPtr first = add(mortal("tea", 1s)).memory;
  EXPECT_TRUE(add(said("tea")).existed);
  engine_->pass(2s);
  const Added second = add(said("tea"));
  EXPECT_FALSE(second.existed);
  EXPECT_NE(second.memory->id, first->id);
  remove(second.memory->id);
  EXPECT_FALSE(add(said("tea")).existed);
  EXPECT_EQ(texts(), Texts{"tea"});
}

TEST_P(MemoryStoreContract, ComparesWithTheTextThatAMemoryHasNow) {
  const MemoryPtr memory = add("tea");
  update(memory, "coffee");
  EXPECT_TRUE(add(said("Coffee")).existed);
  EXPECT_FALSE(add(said("tea")).existed);
}

TEST_P(MemoryStoreContract, ComparesWithTheCategoryThatAMemoryHasNow) {
  Memory memory = *add("tea");
  memory.category = Category::fact;
  ASSERT_TRUE(run(store_->update("t", memory, std::nullopt)));
  EXPECT_FALSE(add(said("tea")).existed);
  NewMemory fact = said("tea");
  fact.memory.category = Category::fact;
  EXPECT_TRUE(add(fact).existed);
}

TEST_P(MemoryStoreContract, StoresATextThatManyAddAtOnceOnce) {
  std::atomic<int> stored = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        std::vector<NewMemory> memories;
        memories.push_back(said("text " + std::to_string(i)));
        const auto loop = static_cast<std::size_t>(t % 2);
        if (!run(store_->add("t", std::move(memories)), loop).at(0).existed) ++stored;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stored, 20);
  EXPECT_EQ(texts().size(), 20u);
}

// Scopes and tenants

TEST_P(MemoryStoreContract, ListsWhatHasAllIdsOfAScope) {
  const std::vector<Scope> owners{{"u", "", ""},  {"u", "a", ""}, {"u", "a", "s"}, {"", "a", ""},
                                  {"", "a", "s"}, {"", "", "s"},  {"u", "", "s"},  {"x", "a", "s"}};
  for (std::size_t i = 0; i < owners.size(); ++i) add("number " + std::to_string(i), owners[i]);
  for (const std::string user : {"", "u", "x", "nobody"}) {
    for (const std::string agent : {"", "a", "nobody"}) {
      for (const std::string session : {"", "s", "nobody"}) {
        const Scope scope{user, agent, session};
        if (scope == Scope{}) continue;
        Texts expected;
        for (std::size_t i = 0; i < owners.size(); ++i) {
          if (contains(scope, owners[i])) expected.push_back("number " + std::to_string(i));
        }
        EXPECT_EQ(worded("number", scope), expected);
        std::ranges::reverse(expected);
        EXPECT_EQ(texts(scope), expected);
      }
    }
  }
}

TEST_P(MemoryStoreContract, FindsNothingInAScopeWithoutIds) {
  add("tea");
  EXPECT_TRUE(texts({}).empty());
  EXPECT_TRUE(found("tea", {}).empty());
  EXPECT_EQ(run(store_->remove_scope("t", {})), 0u);
  EXPECT_EQ(texts().size(), 1u);
}

TEST_P(MemoryStoreContract, KeepsTenantsApart) {
  NewMemory memory = said("tea");
  const std::string id = memory.memory.id;
  add(memory, "a");
  memory.memory.text = "coffee";
  add(memory, "b");
  EXPECT_EQ(run(store_->get("a", id))->text, "tea");
  EXPECT_EQ(run(store_->get("b", id))->text, "coffee");
  EXPECT_EQ(run(store_->get("c", id)), nullptr);
  EXPECT_EQ(texts_of(list(user_, {}, "a")), Texts{"tea"});
  EXPECT_EQ(worded("tea coffee", user_, "b"), Texts{"coffee"});
  EXPECT_TRUE(worded("tea coffee", user_, "c").empty());
  EXPECT_FALSE(remove(id, "c"));
  Memory changed = *run(store_->get("a", id));
  changed.text = "water";
  EXPECT_EQ(run(store_->update("c", changed, std::nullopt)), nullptr);
  EXPECT_TRUE(remove(id, "a"));
  EXPECT_EQ(history(id, "a").size(), 2u);
  EXPECT_EQ(history(id, "b").size(), 1u);
  EXPECT_TRUE(history(id, "c").empty());
  EXPECT_EQ(run(store_->remove_scope("a", user_)), 0u);
  EXPECT_EQ(run(store_->get("b", id))->text, "coffee");
}

TEST_P(MemoryStoreContract, FindsAFewMemoriesAmongThoseOfManyUsers) {
  std::vector<NewMemory> memories;
  for (int user = 0; user < 50; ++user) {
    for (int i = 0; i < 5; ++i) {
      memories.push_back(said("we drink tea number " + std::to_string(i),
                              {.user_id = "user" + std::to_string(user)}));
    }
  }
  run(store_->add("t", std::move(memories)));
  for (int user = 0; user < 50; ++user) {
    EXPECT_EQ(found("drink tea", {.user_id = "user" + std::to_string(user)}).size(), 5u);
  }
}

// Listing

TEST_P(MemoryStoreContract, ListsTheNewestFirst) {
  NewMemory middle = said("middle");
  NewMemory newest = said("newest");
  NewMemory oldest = said("oldest");
  oldest.memory.created_at = kStart - 24h;
  NewMemory same = said("same time, arrived later");
  same.memory.created_at = middle.memory.created_at;
  for (NewMemory* each : {&middle, &newest, &oldest, &same}) add(std::move(*each));
  EXPECT_EQ(texts(), (Texts{"newest", "same time, arrived later", "middle", "oldest"}));
}

TEST_P(MemoryStoreContract, ListsPageByPage) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 23; ++i) {
    memories.push_back(said(std::to_string(i)));
    memories.back().memory.created_at = kStart + std::chrono::seconds(i / 4);  // some are equal
  }
  run(store_->add("t", std::move(memories)));
  const Texts all = texts();
  for (const std::size_t limit : {1u, 3u, 7u, 22u, 23u, 24u}) {
    Texts pages;
    ListQuery query = first(limit);
    while (true) {
      const std::vector<MemoryPtr> page = list(user_, query);
      for (const MemoryPtr& memory : page) pages.push_back(memory->text);
      if (page.size() < limit) break;
      query.after = ListPosition{page.back()->created_at, page.back()->sequence};
    }
    EXPECT_EQ(pages, all) << limit;
  }
  EXPECT_TRUE(list(user_, first(0)).empty());
}

TEST_P(MemoryStoreContract, GoesOnAfterAPositionWhoseMemoryIsGone) {
  add_all({"1", "2", "3", "4"});
  const MemoryPtr second = list(user_, first(2)).back();
  EXPECT_EQ(second->text, "3");
  remove(second->id);
  add("5");
  ListQuery query;
  query.after = ListPosition{second->created_at, second->sequence};
  EXPECT_EQ(texts_of(list(user_, query)), (Texts{"2", "1"}));
}

TEST_P(MemoryStoreContract, ListsACategory) {
  for (int i = 0; i < 6; ++i) {
    NewMemory memory = said(std::to_string(i));
    memory.memory.category = i % 2 ? Category::fact : Category::episodic;
    add(std::move(memory));
  }
  EXPECT_EQ(texts_of(list(user_, of(Category::fact))), (Texts{"5", "3", "1"}));
  EXPECT_EQ(texts_of(list(user_, of(Category::fact, 2))), (Texts{"5", "3"}));
  EXPECT_TRUE(list(user_, of(Category::preference)).empty());
}

TEST_P(MemoryStoreContract, ListsWhatAFilterLetsThrough) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 1'000; ++i) {
    memories.push_back(said(std::to_string(i)));
    memories.back().memory.metadata = R"({"number":)" + std::to_string(i) + "}";
  }
  run(store_->add("t", std::move(memories)));
  ListQuery query;
  query.filter = compare(Filter::Field::metadata, Filter::Operator::lt, 3, "number");
  EXPECT_EQ(texts_of(list(user_, query)), (Texts{"2", "1", "0"}));
  query.limit = 2;
  const std::vector<MemoryPtr> page = list(user_, query);
  EXPECT_EQ(texts_of(page), (Texts{"2", "1"}));
  query.after = ListPosition{page.back()->created_at, page.back()->sequence};
  EXPECT_EQ(texts_of(list(user_, query)), Texts{"0"});
  query.after.reset();
  query.filter = compare(Filter::Field::memory, Filter::Operator::contains, "99");
  query.limit = 100;
  EXPECT_EQ(list(user_, query).size(), 19u);
}

TEST_P(MemoryStoreContract, ListsThousandsAtOnce) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 1'500; ++i) memories.push_back(said(std::to_string(i)));
  run(store_->add("t", std::move(memories)));
  EXPECT_EQ(list(user_, first(1'000)).size(), 1'000u);
  EXPECT_EQ(list(user_, first(2'000)).size(), 1'500u);
  EXPECT_EQ(list(user_, first(1'000)).back()->text, "500");
}

TEST_P(MemoryStoreContract, ListsPageByPageWhatWasSaidAtOneTime) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 700; ++i) {
    memories.push_back(said(std::to_string(i)));
    memories.back().memory.created_at = kStart;
    memories.back().memory.category = i % 2 ? Category::fact : Category::semantic;
  }
  run(store_->add("t", std::move(memories)));
  ListQuery query = of(Category::fact, 150);
  Texts pages;
  while (true) {
    const std::vector<MemoryPtr> page = list(user_, query);
    for (const MemoryPtr& memory : page) pages.push_back(memory->text);
    if (page.size() < 150) break;
    query.after = ListPosition{page.back()->created_at, page.back()->sequence};
  }
  ASSERT_EQ(pages.size(), 350u);
  for (std::size_t i = 0; i < pages.size(); ++i) EXPECT_EQ(pages[i], std::to_string(699 - 2 * i));
}

INSTANTIATE_TEST_SUITE_P(Engines, MemoryStoreContract,
                         testing::Values("sqlite", "sqlite_forgetful", "sqlite_indexed", "mongodb",
                                         "mongodb_without_transactions", "documentdb", "atlas"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace maas::ltm
