// The contract of MemoryStore: what inference and the catching up with it need.
#include "contract/memory_store_contract.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace maas::ltm {
namespace {

// Changing several at once

TEST_P(MemoryStoreContract, AppliesChangesThatBelongTogether) {
  const MemoryPtr home = add("I live in Oslo");
  const MemoryPtr tea = add("I like tea");
  const MemoryPtr dog = add("I have a dog");
  Changes changes;
  changes.added.push_back(said("I have a cat"));
  changes.added.push_back(said("I like  TEA"));  // is there already
  Memory moved = *home;
  moved.text = "I live in Lisbon";
  changes.updated.push_back({moved, vector_of(moved.text)});
  changes.removed.push_back(dog);

  const auto applied = run(store_->apply("t", changes));

  ASSERT_TRUE(applied);
  ASSERT_EQ(applied->updated.size(), 1u);
  EXPECT_EQ(applied->updated[0]->version, 2);
  ASSERT_EQ(applied->added.size(), 2u);
  EXPECT_FALSE(applied->added[0].existed);
  EXPECT_TRUE(applied->added[1].existed);
  EXPECT_EQ(applied->added[1].memory->id, tea->id);
  const Texts expected{"I have a cat", "I like tea", "I live in Lisbon"};
  Texts left = texts();
  std::ranges::sort(left);
  EXPECT_EQ(left, expected);
  // Neighbours in time lend each other their words.
  EXPECT_EQ(std::ranges::count(worded("Lisbon"), "I live in Lisbon"), 1);
  EXPECT_EQ(std::ranges::count(worded("cat"), "I have a cat"), 1);
  EXPECT_TRUE(worded("dog").empty());
  ASSERT_EQ(history(home->id).size(), 2u);
  EXPECT_EQ(history(home->id)[1].old_text, "I live in Oslo");
  EXPECT_EQ(history(home->id)[1].event, Event::update);
  EXPECT_EQ(history(dog->id).back().event, Event::remove);
}

TEST_P(MemoryStoreContract, ComparesWhatIsAddedWithWhatTheOtherChangesLeave) {
  const MemoryPtr home = add("I live in Oslo");
  const MemoryPtr dog = add("I have a dog");
  Changes changes;
  for (const char* text : {"I live in Lisbon", "I live in Oslo", "I have a dog"}) {
    changes.added.push_back(said(text));
  }
  Memory moved = *home;
  moved.text = "I live in Lisbon";
  changes.updated.push_back({moved, vector_of(moved.text)});
  changes.removed.push_back(dog);

  const auto applied = run(store_->apply("t", changes));

  ASSERT_TRUE(applied);
  EXPECT_TRUE(applied->added[0].existed);
  EXPECT_EQ(applied->added[0].memory->id, home->id);
  EXPECT_FALSE(applied->added[1].existed);
  EXPECT_FALSE(applied->added[2].existed);
  Texts left = texts();
  std::ranges::sort(left);
  EXPECT_EQ(left, (Texts{"I have a dog", "I live in Lisbon", "I live in Oslo"}));
}

TEST_P(MemoryStoreContract, AppliesNothingWhenOneOfTheMemoriesHasChanged) {
  const MemoryPtr home = add("I live in Oslo");
  const MemoryPtr dog = add("I have a dog");
  const auto attempt = [&] {
    Changes changes;
    changes.added.push_back(said("I have a cat"));
    Memory moved = *home;
    moved.text = "I live in Lisbon";
    changes.updated.push_back({moved, vector_of(moved.text)});
    changes.removed.push_back(dog);
    return run(store_->apply("t", changes)).has_value();
  };
  const auto expect_unchanged = [&](const Texts& expected) {
    Texts left = texts();
    std::ranges::sort(left);
    EXPECT_EQ(left, expected);
    EXPECT_TRUE(worded("Lisbon").empty());
    EXPECT_EQ(history(home->id).size(), 1u);
  };
  const MemoryPtr renamed = update(dog, "I have a puppy");
  EXPECT_FALSE(attempt());
  expect_unchanged({"I have a puppy", "I live in Oslo"});
  remove(renamed->id);
  EXPECT_FALSE(attempt());
  expect_unchanged({"I live in Oslo"});
}

TEST_P(MemoryStoreContract, AppliesNoChangesToWhatHasExpired) {
  NewMemory brief = mortal("tea", 5s);
  const MemoryPtr expired = add(std::move(brief)).memory;
  engine_->pass(5s);
  Changes changes;
  changes.removed.push_back(expired);
  EXPECT_FALSE(run(store_->apply("t", changes)));
}

TEST_P(MemoryStoreContract, FindsTheNearestVectorsOfAScope) {
  const MemoryPtr tea = add("green tea in the morning");
  const MemoryPtr other = add("a bicycle for the summer");
  add("green tea in the morning", {.user_id = "somebody else"});
  const auto found = run(store_->nearest("t", user_, vector_of("green tea in the morning"), 10));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].memory->id, tea->id);
  EXPECT_NEAR(found[0].cosine, 1, 1e-3);
  EXPECT_EQ(found[1].memory->id, other->id);
  EXPECT_LT(found[1].cosine, found[0].cosine);
  EXPECT_EQ(run(store_->nearest("t", user_, vector_of("tea"), 1)).size(), 1u);
  EXPECT_TRUE(run(store_->nearest("t", {.user_id = "nobody"}, vector_of("tea"), 5)).empty());
}

// What waits for work

TEST_P(MemoryStoreContract, TellsWhatHasNoVectorOfItsModelAndTakesIt) {
  add("one");
  add("two", {.user_id = "somebody else"});
  run(store_->add("other", {said("three")}));
  EXPECT_TRUE(run(store_->waiting(Waiting::vector, 0, 10)).empty());
  restart("another model");
  const auto first = run(store_->waiting(Waiting::vector, 0, 2));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].memory->text, "one");
  EXPECT_EQ(first[1].tenant, "t");
  const auto rest = run(store_->waiting(Waiting::vector, first[1].memory->sequence, 2));
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].tenant, "other");

  EXPECT_TRUE(run(store_->nearest("t", user_, vector_of("one"), 5)).empty());
  EXPECT_EQ(run(store_->set_vectors("t", {first[0].memory}, {vector_of("one")})), 1u);
  EXPECT_EQ(run(store_->nearest("t", user_, vector_of("one"), 5)).size(), 1u);
  EXPECT_EQ(run(store_->get("t", first[0].memory->id))->version, 1);
  EXPECT_EQ(history(first[0].memory->id).size(), 1u);
  EXPECT_EQ(run(store_->waiting(Waiting::vector, 0, 10)).size(), 2u);
}

TEST_P(MemoryStoreContract, GivesNoVectorToWhatHasChanged) {
  const MemoryPtr first = add("one");
  update(first, "two");
  EXPECT_EQ(run(store_->set_vectors("t", {first}, {vector_of("one")})), 0u);
  EXPECT_NEAR(run(store_->nearest("t", user_, vector_of("two"), 1)).at(0).cosine, 1, 1e-3);
}

TEST_P(MemoryStoreContract, TellsWhatWasKeptUnprocessed) {
  NewMemory kept = said("one");
  kept.memory.metadata = R"({"unprocessed":true})";
  const MemoryPtr waiting = add(std::move(kept)).memory;
  NewMemory mentions = said("two");
  mentions.memory.metadata = R"({"note":"\"unprocessed\":true","unprocessed":false})";
  add(std::move(mentions));
  const auto found = run(store_->waiting(Waiting::extraction, 0, 10));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].memory->id, waiting->id);
}

}  // namespace
}  // namespace maas::ltm
