#include "ltm/long_term_memory.hpp"

#include "core/error.hpp"
#include "ltm/memory_text.hpp"
#include "support/failure.hpp"
#include "support/hash_embedder.hpp"
#include "support/memory_memory_store.hpp"
#include "support/run_task.hpp"

#include <gtest/gtest.h>

namespace maas::ltm {
namespace {

using std::chrono::seconds;
using test::failure_of;

constexpr const char* kTenant = "tenant";

class LongTermMemoryTest : public testing::Test {
 protected:
  std::vector<Remembered> add(AddRequest request) {
    return running_.run(memory_.add(kTenant, std::move(request)));
  }
  static AddRequest request(std::vector<SaidMessage> messages) {
    AddRequest request;
    request.scope.user_id = "ada";
    request.messages = std::move(messages);
    return request;
  }
  static SaidMessage user(std::string content, std::string name = {}) {
    return {.role = "user", .name = std::move(name), .content = std::move(content)};
  }
  MemoryPtr remember(const std::string& text) { return add(request({user(text)})).front().memory; }
  static SearchRequest question(std::string text, std::string user_id = "ada") {
    SearchRequest search;
    search.scope.user_id = std::move(user_id);
    search.query.text = std::move(text);
    return search;
  }
  static UpdateRequest change(const MemoryPtr& memory, std::string text) {
    UpdateRequest change;
    change.id = memory->id;
    change.text = std::move(text);
    return change;
  }
  static UpdateRequest change_unknown() {
    UpdateRequest change;
    change.id = "x";
    change.text = "two";
    return change;
  }
  static ListQuery part(std::size_t limit, std::optional<ListPosition> after = std::nullopt) {
    ListQuery query;
    query.limit = limit;
    query.after = after;
    return query;
  }
  MemoryPtr update(UpdateRequest change) {
    return running_.run(memory_.update(kTenant, std::move(change)));
  }
  test::MemoryMemoryStore store_;
  test::HashEmbedder embedder_;
  LongTermMemory memory_{store_, &embedder_, nullptr, {.default_ttl_seconds = 0}};
  LongTermMemory words_alone_{store_, nullptr, nullptr, {.default_ttl_seconds = 60}};
  test::RunningLoops running_;
};

TEST(IsBlank, LooksForAnythingThatStaysOfAText) {
  EXPECT_TRUE(is_blank(""));
  EXPECT_TRUE(is_blank(" \t\r\n"));
  EXPECT_TRUE(is_blank("\u3000\u00a0\u2028"));
  EXPECT_TRUE(is_blank(std::string(1000, ' ')));
  EXPECT_FALSE(is_blank("東京"));
  EXPECT_FALSE(is_blank(std::string(1000, ' ') + "東京"));
  EXPECT_FALSE(is_blank(std::string(255, ' ') + "東京"));
  EXPECT_FALSE(is_blank(std::string(1000, ' ') + "a"));
}

// Adding.

TEST_F(LongTermMemoryTest, KeepsEveryMessageWordForWord) {
  const auto remembered = add(request({user(" two  spaces "), {"assistant", "", "An answer."}}));
  ASSERT_EQ(remembered.size(), 2u);
  EXPECT_EQ(remembered[0].memory->text, " two  spaces ");
  EXPECT_EQ(remembered[1].memory->text, "An answer.");
  EXPECT_EQ(remembered[0].event, Event::add);
  EXPECT_LT(remembered[0].memory->id, remembered[1].memory->id);
}

TEST_F(LongTermMemoryTest, SkipsTheSystemAndWhatIsBlank) {
  const auto remembered = add(request({{"system", "", "Be kind."},
                                       {"SYSTEM", "", "Be brief."},
                                       user(""),
                                       user(" \t\n"),
                                       user("\u3000\u00a0"),
                                       {"tool", "", "kept"}}));
  ASSERT_EQ(remembered.size(), 1u);
  EXPECT_EQ(remembered[0].memory->text, "kept");
}

TEST_F(LongTermMemoryTest, AsksNobodyWhenThereIsNothingToKeep) {
  EXPECT_TRUE(add(request({})).empty());
  EXPECT_TRUE(add(request({{"system", "", "Be kind."}})).empty());
  EXPECT_EQ(store_.adds, 0);
  EXPECT_TRUE(embedder_.calls.empty());
}

TEST_F(LongTermMemoryTest, TakesTheSpeakerFromMetadataElseFromTheMessage) {
  AddRequest told = request({user("one", "Bob")});
  told.metadata = R"({"speaker":"Ada"})";
  EXPECT_EQ(add(std::move(told)).front().memory->speaker, "Ada");
  AddRequest no_text = request({user("two", "Bob")});
  no_text.metadata = R"({"speaker":7})";
  EXPECT_EQ(add(std::move(no_text)).front().memory->speaker, "Bob");
  EXPECT_EQ(remember("three")->speaker, "");
}

TEST_F(LongTermMemoryTest, ReadsTheSpeakerOfDeepMetadata) {
  AddRequest deep = request({user("one")});
  deep.metadata =
      R"({"a":)" + std::string(120, '[') + std::string(120, ']') + R"(,"speaker":"Ada"})";
  EXPECT_EQ(add(std::move(deep)).front().memory->speaker, "Ada");
}

TEST_F(LongTermMemoryTest, EmbedsWhatWasSaidWithoutWhoSaidIt) {
  add(request({user("Ada: I like tea.", "Ada"), user("Bob: I like coffee.")}));
  ASSERT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(embedder_.calls[0],
            (test::HashEmbedder::Call{{"I like tea.", "I like coffee."}, llm::TextKind::document}));
  for (const auto& [id, stored] : store_.stored) {
    EXPECT_EQ(stored.memory->text.substr(5, 6), "I like");
    EXPECT_EQ(stored.vector, embedder_.vector_of(stored.memory->text.substr(5)));
  }
}

TEST_F(LongTermMemoryTest, CountsTheLifeOfAMemoryFromWhenItIsStored) {
  AddRequest timed = request({user("one")});
  timed.ttl_seconds = 90;
  timed.said_at = Timestamp(seconds(1000));
  const MemoryPtr memory = add(std::move(timed)).front().memory;
  EXPECT_EQ(memory->created_at, Timestamp(seconds(1000)));
  EXPECT_GT(memory->updated_at, Timestamp(seconds(1000)));
  EXPECT_EQ(memory->expires_at, memory->updated_at + seconds(90));
}

TEST_F(LongTermMemoryTest, TakesTheDefaultLifeUnlessTold) {
  EXPECT_EQ(remember("one")->expires_at, std::nullopt);
  const auto two = running_.run(words_alone_.add(kTenant, request({user("two")})));
  EXPECT_EQ(two.front().memory->expires_at, two.front().memory->updated_at + seconds(60));
  AddRequest for_ever = request({user("three")});
  for_ever.ttl_seconds = 0;
  const auto three = running_.run(words_alone_.add(kTenant, std::move(for_ever)));
  EXPECT_EQ(three.front().memory->expires_at, std::nullopt);
}

TEST_F(LongTermMemoryTest, SaysWhatWasThereAlready) {
  const MemoryPtr first = remember("one");
  const auto again = add(request({user("one"), user("two")}));
  EXPECT_EQ(again[0].event, Event::none);
  EXPECT_EQ(again[0].memory, first);
  EXPECT_EQ(again[1].event, Event::add);
}

TEST_F(LongTermMemoryTest, StoresNothingWhenTheEmbedderFails) {
  embedder_.fails = true;
  EXPECT_EQ(failure_of([&] { remember("one"); }), Errc::unavailable);
  EXPECT_EQ(store_.adds, 0);
}

TEST_F(LongTermMemoryTest, AddsABatchWithOneCallToEach) {
  std::vector<AddRequest> requests;
  requests.push_back(request({user("one"), user("two")}));
  requests.push_back(request({}));
  requests.push_back(request({user("three")}));
  auto outcomes = running_.run(memory_.add_all(kTenant, std::move(requests)));
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0].take().at(1).memory->text, "two");
  EXPECT_TRUE(outcomes[1].take().empty());
  EXPECT_EQ(outcomes[2].take().at(0).memory->text, "three");
  EXPECT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(store_.adds, 1);
}

TEST_F(LongTermMemoryTest, GivesABatchsFailureToThoseWhoHadSomethingToKeep) {
  for (bool* fails : {&embedder_.fails, &store_.fails}) {
    *fails = true;
    std::vector<AddRequest> requests;
    requests.push_back(request({user("one")}));
    requests.push_back(request({}));
    auto outcomes = running_.run(memory_.add_all(kTenant, std::move(requests)));
    EXPECT_EQ(failure_of([&] { outcomes[0].take(); }), Errc::unavailable);
    EXPECT_TRUE(outcomes[1].take().empty());
    *fails = false;
  }
}

// Searching.

TEST_F(LongTermMemoryTest, EmbedsAQueryAsThoseWhoSpeakWouldSayIt) {
  store_.names = {"Ada", "Bob"};
  running_.run(memory_.search(kTenant, question("What is Ada's plan?")));
  ASSERT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(embedder_.calls[0],
            (test::HashEmbedder::Call{{"What is my plan?"}, llm::TextKind::query}));
  ASSERT_EQ(store_.searches.size(), 1u);
  EXPECT_EQ(store_.searches[0].text, "What is Ada's plan?");
  EXPECT_EQ(store_.searches[0].vector, embedder_.vector_of("What is my plan?"));
}

TEST_F(LongTermMemoryTest, SearchesByWordsAloneWithoutAnEmbedder) {
  remember("one");
  const Found found = running_.run(words_alone_.search(kTenant, question("one?")));
  EXPECT_EQ(found.hits.size(), 1u);
  EXPECT_EQ(store_.speaker_reads, 0);
  EXPECT_TRUE(store_.searches[0].vector.empty());
}

TEST_F(LongTermMemoryTest, FindsNothingWithoutWorkForALimitOfZero) {
  remember("one");
  embedder_.calls.clear();
  const Scope scope{.user_id = "ada"};
  SearchRequest none = question("one?");
  none.query.limit = 0;
  EXPECT_TRUE(running_.run(memory_.search(kTenant, std::move(none))).hits.empty());
  EXPECT_TRUE(store_.searches.empty());
  EXPECT_TRUE(embedder_.calls.empty());
  EXPECT_TRUE(running_.run(memory_.list(kTenant, scope, part(0))).memories.empty());
}

TEST_F(LongTermMemoryTest, PassesTheEmbeddersFailureOn) {
  embedder_.fails = true;
  EXPECT_EQ(failure_of([&] { running_.run(memory_.search(kTenant, question("one?"))); }),
            Errc::unavailable);
  EXPECT_TRUE(store_.searches.empty());
}

TEST_F(LongTermMemoryTest, SearchesABatchWithOneCallToTheEmbedder) {
  remember("one");
  embedder_.calls.clear();
  std::vector<SearchRequest> requests;
  requests.push_back(question("first"));
  requests.push_back(question("lost", store_.unreadable));
  requests.push_back(question("none"));
  requests.back().query.limit = 0;
  requests.push_back(question("last"));
  auto outcomes = running_.run(memory_.search_all(kTenant, std::move(requests)));
  EXPECT_EQ(outcomes[0].take().hits.size(), 1u);
  EXPECT_EQ(failure_of([&] { outcomes[1].take(); }), Errc::unavailable);
  EXPECT_TRUE(outcomes[2].take().hits.empty());
  EXPECT_EQ(outcomes[3].take().hits.size(), 1u);
  ASSERT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(embedder_.calls[0].texts, (std::vector<std::string>{"first", "last"}));
  EXPECT_EQ(store_.searches[1].vector, embedder_.vector_of("last"));
}

TEST_F(LongTermMemoryTest, GivesTheEngineASearchWithoutAVectorItsOwnFailure) {
  std::vector<SearchRequest> requests;
  requests.push_back(question("lost", store_.unreadable));
  requests.push_back(question("found"));
  auto outcomes = running_.run(words_alone_.search_all(kTenant, std::move(requests)));
  EXPECT_EQ(failure_of([&] { outcomes[0].take(); }), Errc::unavailable);
  EXPECT_TRUE(outcomes[1].take().hits.empty());
}

// Listing.

TEST_F(LongTermMemoryTest, SaysWhereAListingGoesOn) {
  for (const char* text : {"one", "two", "three"}) remember(text);
  const Scope scope{.user_id = "ada"};
  const Page first = running_.run(memory_.list(kTenant, scope, part(2)));
  ASSERT_EQ(first.memories.size(), 2u);
  EXPECT_EQ(first.memories[0]->text, "three");
  ASSERT_TRUE(first.next);
  EXPECT_EQ(first.next->sequence, first.memories[1]->sequence);
  const Page last = running_.run(memory_.list(kTenant, scope, part(1, first.next)));
  ASSERT_EQ(last.memories.size(), 1u);
  EXPECT_EQ(last.memories[0]->text, "one");
  EXPECT_FALSE(last.next);
}

// Changing.

TEST_F(LongTermMemoryTest, ChangesWhatIsGivenAndNothingElse) {
  AddRequest added = request({user("one", "Ada")});
  added.metadata = R"({"a":1})";
  added.category = Category::fact;
  added.ttl_seconds = 90;
  const MemoryPtr before = add(std::move(added)).front().memory;
  const MemoryPtr after = update(change(before, "two"));
  EXPECT_EQ(after->text, "two");
  EXPECT_EQ(after->metadata, before->metadata);
  EXPECT_EQ(after->category, Category::fact);
  EXPECT_EQ(after->expires_at, before->expires_at);
  EXPECT_EQ(after->speaker, "Ada");
  EXPECT_EQ(after->created_at, before->created_at);
  EXPECT_GE(after->updated_at, before->updated_at);
  EXPECT_EQ(after->version, 2);
}

TEST_F(LongTermMemoryTest, ReplacesMetadataCategoryAndLife) {
  AddRequest added = request({user("one")});
  added.metadata = R"({"speaker":"Ada"})";
  const MemoryPtr before = add(std::move(added)).front().memory;
  UpdateRequest all = change(before, "one");
  all.metadata = "";
  all.category = Category::preference;
  all.ttl_seconds = 5;
  const MemoryPtr after = update(std::move(all));
  EXPECT_EQ(after->metadata, "");
  EXPECT_EQ(after->speaker, "") << "the name was the metadata's";
  EXPECT_EQ(after->category, Category::preference);
  EXPECT_EQ(after->expires_at, after->updated_at + seconds(5));
  UpdateRequest for_ever = change(before, "one");
  for_ever.ttl_seconds = 0;
  EXPECT_EQ(update(std::move(for_ever))->expires_at, std::nullopt);
}

TEST_F(LongTermMemoryTest, EmbedsAgainOnlyWhatHasChanged) {
  const MemoryPtr memory = remember("one");
  embedder_.calls.clear();
  UpdateRequest same_text = change(memory, "one");
  same_text.category = Category::fact;
  update(std::move(same_text));
  EXPECT_TRUE(embedder_.calls.empty());
  EXPECT_EQ(store_.stored[memory->id].vector, embedder_.vector_of("one"));
  update(change(memory, "two"));
  EXPECT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(store_.stored[memory->id].vector, embedder_.vector_of("two"));
}

TEST_F(LongTermMemoryTest, KeepsNoVectorOfAnOlderTextWithoutAnEmbedder) {
  const MemoryPtr memory = remember("one");
  running_.run(words_alone_.update(kTenant, change(memory, "two")));
  EXPECT_TRUE(store_.stored[memory->id].vector.empty());
}

TEST_F(LongTermMemoryTest, TriesALostRaceAgain) {
  const MemoryPtr memory = remember("one");
  int races = 2;
  store_.after_get = [&] {
    if (races-- <= 0) return;
    Memory other = *store_.stored[memory->id].memory;
    other.category = Category::fact;
    store_.replace(other);
  };
  const MemoryPtr after = update(change(memory, "two"));
  EXPECT_EQ(after->text, "two");
  EXPECT_EQ(after->category, Category::fact) << "what the other one changed stays";
  EXPECT_EQ(after->version, 4);
}

TEST_F(LongTermMemoryTest, GivesUpWhenOthersAreAlwaysFaster) {
  const MemoryPtr memory = remember("one");
  store_.after_get = [&] { store_.replace(*store_.stored[memory->id].memory); };
  EXPECT_EQ(failure_of([&] { update(change(memory, "two")); }), Errc::conflict);
}

TEST_F(LongTermMemoryTest, SaysThatAMemoryIsUnknown) {
  EXPECT_EQ(failure_of([&] { running_.run(memory_.get(kTenant, "x")); }), Errc::not_found);
  EXPECT_EQ(failure_of([&] { update(change_unknown()); }), Errc::not_found);
  EXPECT_EQ(failure_of([&] { running_.run(memory_.forget(kTenant, "x")); }), Errc::not_found);
  const MemoryPtr memory = remember("one");
  const std::vector<std::string> ids{"x", memory->id};
  EXPECT_EQ(running_.run(memory_.forget_all(kTenant, ids)), (std::vector<bool>{false, true}));
}

}  // namespace
}  // namespace maas::ltm
