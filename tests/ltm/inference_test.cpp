#include "core/error.hpp"
#include "ltm/long_term_memory.hpp"
#include "ltm/metadata.hpp"
#include "support/failure.hpp"
#include "support/hash_embedder.hpp"
#include "support/memory_memory_store.hpp"
#include "support/run_task.hpp"
#include "support/scripted_chat_client.hpp"

#include <gtest/gtest.h>

namespace maas::ltm {
namespace {

constexpr const char* kTenant = "tenant";

using Texts = std::vector<std::string>;

class InferenceTest : public testing::Test {
 protected:
  static AddRequest request(std::string text) {
    AddRequest request;
    request.scope.user_id = "ada";
    request.messages.push_back({.role = "user", .name = {}, .content = std::move(text)});
    return request;
  }
  LongTermMemory& memory() {
    if (!memory_) memory_.emplace(store_, &embedder_, &model_, options_);
    return *memory_;
  }
  std::vector<Remembered> add(AddRequest request) {
    return running_.run(memory().add(kTenant, std::move(request)));
  }
  std::vector<Remembered> add(std::string text) { return add(request(std::move(text))); }
  MemoryPtr keep(std::string text) {
    AddRequest verbatim = request(std::move(text));
    verbatim.infer = false;
    return add(std::move(verbatim)).front().memory;
  }
  void answer(std::string text) { model_.answers.push_back(std::move(text)); }
  Texts stored() const {
    Texts texts;
    for (const auto& [id, entry] : store_.stored) texts.push_back(entry.memory->text);
    std::ranges::sort(texts);
    return texts;
  }
  // The number under which the model is shown a memory.
  std::string number_of(const std::string& text) {
    const std::string& prompt = model_.requests.back().messages.back().content;
    const std::size_t at = prompt.find(R"(","text":")" + text);
    const std::size_t begin = prompt.rfind('"', at - 1) + 1;
    return prompt.substr(begin, at - begin);
  }
  Errc failure_of(const std::string& text) {
    return test::failure_of([&] { add(text); });
  }

  test::MemoryMemoryStore store_;
  test::HashEmbedder embedder_;
  test::ScriptedChatClient model_;
  LongTermMemoryOptions options_;
  test::RunningLoops running_;

 private:
  std::optional<LongTermMemory> memory_;
};

TEST_F(InferenceTest, AddsWhatTheModelFindsNew) {
  answer(R"({"facts":["Ada likes tea","Ada has a dog"]})");
  answer(
      R"({"memory":[{"text":"Ada likes tea","event":"ADD"},{"text":"Ada has a dog","event":"ADD"}]})");
  AddRequest said = request("I like tea and I have a dog");
  said.category = Category::preference;
  said.metadata = R"({"source":"chat"})";
  said.said_at = Timestamp(std::chrono::hours(24 * 365 * 50));
  const auto results = add(said);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].event, Event::add);
  EXPECT_EQ(results[0].memory->text, "Ada likes tea");
  EXPECT_EQ(results[0].memory->category, Category::preference);
  EXPECT_EQ(results[0].memory->metadata, R"({"source":"chat"})");
  EXPECT_EQ(results[0].memory->created_at, said.said_at);
  EXPECT_EQ(stored(), (Texts{"Ada has a dog", "Ada likes tea"}));
  EXPECT_EQ(model_.requests.size(), 2u);
  ASSERT_EQ(embedder_.calls.size(), 1u) << "all facts in one call";
  EXPECT_EQ(store_.stored.begin()->second.vector, embedder_.vector_of("Ada likes tea"));
}

TEST_F(InferenceTest, UpdatesAndRemovesWhatTheModelSays) {
  const MemoryPtr home = keep("Ada lives in Oslo");
  keep("Ada likes tea");
  answer(R"({"facts":["Ada moved to Lisbon","Ada dislikes tea"]})");
  model_.answer_with = [&](const llm::ChatRequest&) {
    return R"({"memory":[{"id":")" + number_of("Ada lives in Oslo") +
           R"(","text":"Ada moved from Oslo to Lisbon","event":"UPDATE"},{"id":")" +
           number_of("Ada likes tea") + R"(","event":"DELETE"}]})";
  };
  const auto results = add("I moved, and tea is not for me");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].event, Event::update);
  EXPECT_EQ(results[0].memory->id, home->id);
  EXPECT_EQ(results[0].memory->created_at, home->created_at);
  EXPECT_EQ(results[1].event, Event::remove);
  EXPECT_EQ(results[1].memory->text, "Ada likes tea");
  EXPECT_EQ(stored(), Texts{"Ada moved from Oslo to Lisbon"});
  EXPECT_EQ(store_.stored.begin()->second.vector,
            embedder_.vector_of("Ada moved from Oslo to Lisbon"));
}

TEST_F(InferenceTest, TellsWhatHoldsAFactAlready) {
  const MemoryPtr known = keep("Ada likes tea");
  answer(R"({"facts":["Ada likes tea"]})");
  answer(R"({"memory":[{"id":"0","text":"Ada likes tea","event":"NONE"}]})");
  const auto results = add("I like tea");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].event, Event::none);
  EXPECT_EQ(results[0].memory->id, known->id);
}

TEST_F(InferenceTest, ChangesNothingWithoutFacts) {
  answer(R"({"facts":[]})");
  EXPECT_TRUE(add("hello").empty());
  EXPECT_EQ(model_.requests.size(), 1u);
}

TEST_F(InferenceTest, AsksNobodyWhenNobodyIsListenedTo) {
  AddRequest instructions = request("Be kind.");
  instructions.messages[0].role = "system";
  EXPECT_TRUE(add(instructions).empty());
  EXPECT_TRUE(model_.requests.empty());
}

TEST_F(InferenceTest, PlansAnewWhenAnotherWasFaster) {
  const MemoryPtr home = keep("Ada lives in Oslo");
  answer(R"({"facts":["Ada moved to Lisbon"]})");
  model_.answer_with = [](const llm::ChatRequest&) {
    return R"({"memory":[{"id":"0","text":"Ada lives in Lisbon","event":"UPDATE"}]})";
  };
  store_.before_apply = [&, first = true]() mutable {
    if (!std::exchange(first, false)) return;
    Memory changed = *home;
    changed.text = "Ada lives in Porto";
    store_.replace(changed);
  };
  EXPECT_EQ(add("I moved").front().event, Event::update);
  EXPECT_EQ(model_.requests.size(), 3u);
  EXPECT_NE(model_.requests[2].messages.back().content.find("Porto"), std::string::npos);
  EXPECT_EQ(stored(), Texts{"Ada lives in Lisbon"});
}

TEST_F(InferenceTest, GivesUpWhenOthersAreAlwaysFaster) {
  const MemoryPtr home = keep("Ada lives in Oslo");
  answer(R"({"facts":["Ada moved to Lisbon"]})");
  model_.answer_with = [](const llm::ChatRequest&) {
    return R"({"memory":[{"id":"0","text":"Ada lives in Lisbon","event":"UPDATE"}]})";
  };
  store_.before_apply = [&] { store_.replace(*store_.stored.begin()->second.memory); };
  EXPECT_EQ(failure_of("I moved"), Errc::conflict);
  EXPECT_EQ(stored(), Texts{"Ada lives in Oslo"});
}

TEST_F(InferenceTest, KeepsTheMessagesWhenTheModelFails) {
  model_.error = Error(Errc::upstream_failed, "the model is away");
  AddRequest said = request("I like tea");
  said.metadata = R"({"a":1})";
  said.messages.push_back({.role = "summary", .name = {}, .content = "Ada has a dog"});
  const auto results = add(said);
  ASSERT_EQ(results.size(), 1u) << "what nobody listens to is not kept";
  EXPECT_EQ(results[0].event, Event::add);
  EXPECT_EQ(results[0].memory->text, "I like tea");
  EXPECT_TRUE(is_unprocessed(*results[0].memory));
  EXPECT_EQ(without_unprocessed(results[0].memory->metadata), R"({"a":1})");
}

TEST_F(InferenceTest, FailsWithoutAChangeWhenItMayNotKeepThem) {
  options_.keep_on_llm_failure = false;
  model_.error = Error(Errc::deadline_exceeded, "the model is slow");
  EXPECT_EQ(failure_of("I like tea"), Errc::deadline_exceeded);
  EXPECT_TRUE(stored().empty());
}

TEST_F(InferenceTest, PassesOnWhatTheEmbedderSays) {
  answer(R"({"facts":["Ada likes tea"]})");
  embedder_.fails = true;
  EXPECT_EQ(failure_of("I like tea"), Errc::unavailable);
  EXPECT_TRUE(stored().empty());
}

TEST_F(InferenceTest, ShowsTheModelNothingThatWaitsToBeProcessed) {
  model_.error = Error(Errc::upstream_failed, "away");
  add("I like tea");
  model_.error.reset();
  answer(R"({"facts":["Ada likes tea"]})");
  answer(R"({"memory":[{"text":"Ada likes tea","event":"ADD"}]})");
  add("I like tea!");
  EXPECT_EQ(model_.requests.back().messages.back().content.find("I like tea"), std::string::npos);
}

TEST_F(InferenceTest, OnlyAddsWhenItIsAdditive) {
  options_.inference.reconcile = Reconcile::additive;
  const MemoryPtr known = keep("tea is what ada likes");
  answer(R"({"facts":["ada likes what is tea","a dog called Rex","called Rex a dog"]})");
  const auto results = add("I like tea, and Rex");
  EXPECT_EQ(model_.requests.size(), 1u);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].event, Event::add);
  EXPECT_EQ(results[0].memory->text, "a dog called Rex");
  EXPECT_EQ(results[1].event, Event::none);
  EXPECT_EQ(results[1].memory->id, known->id);
}

TEST_F(InferenceTest, AnswersEveryRequestOfABatchForItself) {
  model_.answer_with = [](const llm::ChatRequest& asked) -> std::string {
    if (asked.messages.back().content.find("Conversation") == std::string::npos) {
      return R"({"memory":[{"text":"Ada likes tea","event":"ADD"}]})";
    }
    return R"({"facts":["Ada likes tea"]})";
  };
  std::vector<AddRequest> requests;
  requests.push_back(request("I like tea"));
  requests.push_back(request("word for word"));
  requests.back().infer = false;
  requests.push_back(request("I like tea, too"));
  auto outcomes = running_.run(memory().add_all(kTenant, std::move(requests)));
  ASSERT_EQ(outcomes.size(), 3u);
  const auto first = outcomes[0].take();
  EXPECT_EQ(outcomes[1].take().front().memory->text, "word for word");
  const auto third = outcomes[2].take();
  EXPECT_EQ(first.front().memory->id, third.front().memory->id) << "once in one batch";
  EXPECT_EQ(stored(), (Texts{"Ada likes tea", "word for word"}));
}

}  // namespace
}  // namespace maas::ltm
