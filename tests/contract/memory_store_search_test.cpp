// The contract of MemoryStore: searching, restarts, many at once.
#include "contract/memory_store_contract.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <random>
#include <set>
#include <thread>

namespace maas::ltm {
namespace {

// Searching

TEST_P(MemoryStoreContract, FindsEveryChangeAtOnce) {
  EXPECT_TRUE(worded("tea coffee water").empty());  // and is in memory from now on
  const MemoryPtr memory = add("tea");
  EXPECT_EQ(worded("tea coffee water"), Texts{"tea"});
  const MemoryPtr updated = update(memory, "coffee");
  EXPECT_EQ(worded("tea coffee water"), Texts{"coffee"});
  add_all({"water", "more tea"});
  EXPECT_EQ(worded("tea coffee water"), (Texts{"coffee", "more tea", "water"}));
  remove(updated->id);
  EXPECT_EQ(worded("tea coffee water"), (Texts{"more tea", "water"}));
  run(store_->remove_scope("t", user_));
  EXPECT_TRUE(worded("tea coffee water").empty());
}

TEST_P(MemoryStoreContract, FindsByMeaningAndByWords) {
  add_all({"the cat sleeps", "a train to Rome", "cooking rice at home"});
  EXPECT_EQ(found("cat").at(0), "the cat sleeps");
  SearchQuery query{.text = "something else", .vector = vector_of("a train to Rome"), .limit = 1};
  const std::vector<SearchHit> hits = run(store_->search("t", user_, query));
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].memory->text, "a train to Rome");
}

TEST_P(MemoryStoreContract, SearchesWithinCategoriesAndFilters) {
  for (int i = 0; i < 8; ++i) {
    NewMemory memory = said("tea " + std::to_string(i));
    memory.memory.category = i % 2 ? Category::fact : Category::semantic;
    memory.memory.metadata = R"({"number":)" + std::to_string(i) + "}";
    add(std::move(memory));
  }
  SearchQuery query{.text = "tea"};
  query.categories = {Category::fact};
  query.filter = compare(Filter::Field::metadata, Filter::Operator::gte, 4, "number");
  std::set<std::string> texts;
  for (const SearchHit& hit : run(store_->search("t", user_, query))) {
    texts.insert(hit.memory->text);
  }
  EXPECT_EQ(texts, (std::set<std::string>{"tea 5", "tea 7"}));
}

TEST_P(MemoryStoreContract, KnowsWhoSpeaks) {
  EXPECT_TRUE(run(store_->speakers("t", user_)).empty());
  NewMemory told = said("I like tea");
  told.memory.speaker = "Ann";
  const std::string id = add(std::move(told)).memory->id;
  EXPECT_EQ(run(store_->speakers("t", user_)), std::vector<std::string>{"Ann"});
  EXPECT_TRUE(run(store_->speakers("t", {.user_id = "v"})).empty());
  restart();
  EXPECT_EQ(run(store_->speakers("t", user_)), std::vector<std::string>{"Ann"});
  remove(id);
  EXPECT_TRUE(run(store_->speakers("t", user_)).empty());
}

// Restarts and models

TEST_P(MemoryStoreContract, FindsTheSameAfterARestart) {
  Texts said_texts;
  for (int i = 0; i < 40; ++i) said_texts.push_back("tea and cake number " + std::to_string(i));
  add_all(said_texts);
  for (int i = 0; i < 10; ++i) {
    const MemoryPtr memory = list(user_, first(20)).at(static_cast<std::size_t>(i));
    if (i % 2) {
      remove(memory->id);
    } else {
      update(memory, "cocoa " + std::to_string(i));
    }
  }
  const Texts listed = texts();
  const std::vector<SearchHit> before = hits("cake and cocoa");
  restart();
  EXPECT_EQ(texts(), listed);
  const std::vector<SearchHit> after = hits("cake and cocoa");
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    // An index, which may be ready or not, samples vectors in bytes.
    EXPECT_NEAR(after[i].score, before[i].score, 1e-3);
    expect_same(*after[i].memory, *run(store_->get("t", after[i].memory->id)));
  }
}

TEST_P(MemoryStoreContract, IgnoresVectorsOfAnotherModel) {
  add("green tea");
  restart("another");
  add("black tea");
  const std::vector<SearchHit> found = hits("tea");
  ASSERT_EQ(found.size(), 2u);
  for (const SearchHit& hit : found) {
    if (hit.memory->text == "green tea") {
      EXPECT_LT(hit.explanation.cosine.value_or(0), 0.99);
    }
  }
  EXPECT_EQ(found[0].memory->text, "black tea");
  SearchQuery query{.text = "unrelated", .vector = vector_of("green tea"), .threshold = 0.9};
  EXPECT_TRUE(run(store_->search("t", user_, query)).empty());
}

TEST_P(MemoryStoreContract, UsesVectorsAgainWhenTheirModelIsBack) {
  add("green tea");
  restart("another");
  EXPECT_EQ(worded("tea"), Texts{"green tea"});
  restart();
  const std::vector<SearchHit> found = hits("green tea");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_GT(found[0].explanation.cosine.value_or(0), 0.9);
}

TEST_P(MemoryStoreContract, ServesWithoutAModel) {
  add("green tea");
  restart("");
  add("black tea");
  EXPECT_EQ(worded("tea"), (Texts{"black tea", "green tea"}));
  restart();
  EXPECT_EQ(worded("tea"), (Texts{"black tea", "green tea"}));
}

TEST_P(MemoryStoreContract, FindsMemoriesWithoutVectorsByTheirWords) {
  NewMemory memory = said("green tea");
  memory.vector.clear();
  const MemoryPtr plain = add(std::move(memory)).memory;
  EXPECT_EQ(worded("tea"), Texts{"green tea"});
  ASSERT_TRUE(update(plain, "black tea"));
  restart();
  const std::vector<SearchHit> found = hits("black tea");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_GT(found[0].explanation.cosine.value_or(0), 0.9);
}

TEST_P(MemoryStoreContract, ForgetsTheVectorThatAnUpdateTookAway) {
  Memory memory = *add("green tea");
  ASSERT_TRUE(run(store_->update("t", memory, llm::Vector{})));
  for (int round = 0; round < 2; ++round) {
    const std::vector<SearchHit> found = hits("green tea");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_LT(found[0].explanation.cosine.value_or(0), 0.1);
    restart();
  }
}

TEST_P(MemoryStoreContract, TwoStoresOnTheSameDataListTheSame) {
  auto other = engine_->store("model");
  add("tea");
  EXPECT_EQ(texts_of(run(other->list("t", user_, {}))), Texts{"tea"});
  engine_->running.loops.abort();
}

TEST_P(MemoryStoreContract, ReportsNoProblemWhileItServes) {
  EXPECT_EQ(run(store_->problem()), std::nullopt);
  EXPECT_EQ(store_->engine(), GetParam().starts_with("sqlite") ? "sqlite" : "mongodb");
}

// Many at once

TEST_P(MemoryStoreContract, FindsExactlyWhatItListsWhileMuchHappens) {
  const std::vector<Scope> scopes{{"u", "", ""}, {"u", "a", ""}, {"", "a", ""}, {"", "", "s"}};
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const auto loop = static_cast<std::size_t>(t % 2);
      std::mt19937 random(static_cast<std::uint32_t>(t));
      std::vector<MemoryPtr> mine;
      for (int i = 0; i < 60; ++i) {
        const auto at = mine.empty() ? 0 : random() % mine.size();
        const auto what = random() % 4;
        if (what < 2 || mine.empty()) {
          const std::string name = std::to_string(t) + "." + std::to_string(i);
          std::vector<NewMemory> memories;
          for (const char* part : {"a", "b"}) {
            memories.push_back(
                said("tea " + name + part, {"u", i % 2 ? "a" : "", i % 3 ? "" : "s"}));
          }
          for (Added& added : run(store_->add("t", std::move(memories)), loop)) {
            mine.push_back(std::move(added.memory));
          }
          // What was acknowledged is found by the next request.
          const Texts found = texts_of_hits(
              run(store_->search("t", mine.back()->scope, {.text = "tea", .limit = kEverything}),
                  loop));
          EXPECT_TRUE(std::ranges::count(found, mine.back()->text)) << mine.back()->text;
        } else if (what == 2) {
          mine[at] = update(mine[at], mine[at]->text + " again", loop);
          ASSERT_TRUE(mine[at]);
        } else {
          const std::vector<std::string> ids{mine[at]->id};
          EXPECT_TRUE(run(store_->remove("t", ids), loop).at(0));
          mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(at));
        }
      }
    });
  }
  threads.emplace_back([&] {
    for (std::size_t i = 0; !done; ++i) {
      const SearchQuery query{.text = "tea again", .vector = vector_of("tea")};
      run(store_->search("t", scopes[i % scopes.size()], query), i % 2);
    }
  });
  for (std::size_t t = 0; t < 3; ++t) threads[t].join();
  done = true;
  threads.back().join();
  for (const Scope& scope : scopes) {
    Texts listed = texts(scope);
    std::ranges::sort(listed);
    EXPECT_EQ(worded("tea", scope), listed);
  }
}

TEST_P(MemoryStoreContract, LeavesWhatIsAddedWhileAScopeIsRemoved) {
  std::vector<NewMemory> memories;
  for (int i = 0; i < 1'500; ++i) memories.push_back(said("tea " + std::to_string(i)));
  run(store_->add("t", std::move(memories)));
  auto removing =
      std::async(std::launch::async, [&] { return run(store_->remove_scope("t", user_), 1); });
  for (int i = 0; i < 20; ++i) add("coffee " + std::to_string(i));
  const std::size_t removed = removing.get();
  Texts left = texts();
  EXPECT_EQ(removed + left.size(), 1'520u);
  std::ranges::sort(left);
  EXPECT_EQ(worded("tea coffee"), left);
}

}  // namespace
}  // namespace maas::ltm
