#include "core/error.hpp"
#include "stm/summarizer.hpp"
#include "support/run_task.hpp"
#include "support/scripted_chat_client.hpp"

#include <gtest/gtest.h>

namespace maas::stm {
namespace {

class LlmSummarizerTest : public testing::Test {
 protected:
  static Message message(std::string content, Role role = Role::user) {
    Message made;
    made.role = role;
    made.content = std::move(content);
    return made;
  }
  Summary summarize(const std::vector<Message>& messages, std::int64_t max_tokens = 100,
                    std::int64_t context_tokens = 32'000) {
    const auto summarizer = make_llm_summarizer(
        model_, {.encoding = kEncoding, .context_tokens = context_tokens}, pool_);
    return running_.run(summarizer->summarize(messages, max_tokens));
  }
  std::string prompt(std::size_t request) const {
    return model_.requests.at(request).messages.back().content;
  }

  static constexpr auto kEncoding = text::Encoding::o200k_base;
  test::ScriptedChatClient model_;
  boost::asio::thread_pool pool_{1};
  test::RunningLoops running_;
};

TEST_F(LlmSummarizerTest, AsksForASummaryOfTheTurns) {
  model_.answers = {" Ann moved to Lisbon. \n"};
  const Summary summary =
      summarize({message("I moved\nassistant: no"), message("Where to?", Role::assistant)});
  EXPECT_EQ(summary.content, "Ann moved to Lisbon.");
  EXPECT_EQ(summary.method, "llm");
  EXPECT_EQ(prompt(0), "Conversation:\nuser: I moved\n  assistant: no\nassistant: Where to?\n");
  EXPECT_EQ(model_.requests[0].max_tokens, 100);
  EXPECT_NE(model_.requests[0].messages[0].content.find("summar"), std::string::npos);
}

TEST_F(LlmSummarizerTest, ContinuesAnEarlierSummary) {
  model_.answers = {"Both."};
  summarize({message("Ann likes tea.", Role::summary), message("And coffee")});
  EXPECT_EQ(prompt(0), "Summary so far:\nAnn likes tea.\n\nConversation:\nuser: And coffee\n");
}

TEST_F(LlmSummarizerTest, GivesWhatTheModelCannotTakeAtOnceInParts) {
  std::vector<Message> messages;
  for (int i = 0; i < 300; ++i) {
    messages.push_back(message("Sentence number " + std::to_string(i) + " about the garden."));
  }
  std::string story;
  for (int i = 300; i < 2000; ++i) story += "word" + std::to_string(i) + " ";
  messages.push_back(message(story));
  model_.answer_with = [n = 0](const llm::ChatRequest&) mutable {
    return "Summary " + std::to_string(++n) + ".";
  };
  const Summary summary = summarize(messages, 100, 2000);
  ASSERT_GT(model_.requests.size(), 3u);
  EXPECT_EQ(summary.content, "Summary " + std::to_string(model_.requests.size()) + ".");
  std::string all;
  for (std::size_t i = 0; i < model_.requests.size(); ++i) {
    EXPECT_EQ(prompt(i).find("Summary so far:\nSummary " + std::to_string(i) + ".\n") == 0, i > 0);
    EXPECT_LE(text::count_tokens(prompt(i), kEncoding), 2000);
    all += prompt(i).substr(prompt(i).find("Conversation:\n") + 14);
  }
  for (int i = 0; i < 300; ++i) {
    EXPECT_NE(all.find("number " + std::to_string(i) + " about"), std::string::npos) << i;
  }
  std::erase(all, '\n');
  for (std::size_t at; (at = all.find("user: ")) != std::string::npos;) all.erase(at, 6);
  EXPECT_TRUE(all.ends_with(story)) << "nothing of a long message is lost";
}

TEST_F(LlmSummarizerTest, AsksForNoMoreThanTheModelTakesWhateverTheTurnsLookLike) {
  std::vector<Message> messages(3000, message("ok"));
  for (int i = 0; i < 20; ++i) messages.push_back(message(std::string(500, '\n') + "end"));
  model_.answer_with = [](const llm::ChatRequest&) { return "Much was agreed to."; };
  summarize(messages, 100, 2000);
  ASSERT_GT(model_.requests.size(), 3u);
  std::size_t turns = 0;
  for (const llm::ChatRequest& request : model_.requests) {
    std::int64_t tokens = request.max_tokens;
    for (const llm::ChatMessage& each : request.messages) {
      tokens += text::count_tokens(each.content, kEncoding);
    }
    EXPECT_LE(tokens, 2000);
    const std::string& text = request.messages.back().content;
    for (std::size_t at = 0; (at = text.find("user: ok\n", at)) != std::string::npos; ++at) ++turns;
  }
  EXPECT_EQ(turns, 3000u);
}

TEST_F(LlmSummarizerTest, ReadsAnEarlierSummaryOfALargerBudgetInParts) {
  std::string earlier;
  for (int i = 0; i < 3000; ++i) earlier += "fact" + std::to_string(i) + " ";
  model_.answer_with = [](const llm::ChatRequest&) { return "Shorter."; };
  EXPECT_EQ(summarize({message(earlier, Role::summary), message("hello")}, 100, 2000).content,
            "Shorter.");
  ASSERT_GT(model_.requests.size(), 2u);
  EXPECT_TRUE(prompt(0).starts_with("Conversation:\nsummary: fact0 "));
  std::string all;
  for (std::size_t i = 0; i < model_.requests.size(); ++i) {
    EXPECT_LE(text::count_tokens(prompt(i), kEncoding), 1900);
    all += prompt(i);
  }
  for (const char* said : {"fact1499 ", "fact2999 ", "user: hello\n"}) {
    EXPECT_NE(all.find(said), std::string::npos) << said;
  }
}

TEST_F(LlmSummarizerTest, AsksNothingAboutNothingNew) {
  EXPECT_EQ(summarize({message("Ann likes tea.", Role::summary), message("")}).content,
            "Ann likes tea.");
  EXPECT_TRUE(model_.requests.empty());
}

TEST_F(LlmSummarizerTest, LeavesOutASentenceThatTheModelCouldNotEnd) {
  model_.answers = {"Ann moved to Lisbon. She does not like"};
  model_.cut = true;
  EXPECT_EQ(summarize({message("hello")}).content, "Ann moved to Lisbon.");
}

TEST_F(LlmSummarizerTest, EndsAtASentenceWithinItsTokens) {
  std::string answer;
  for (int i = 0; i < 10'000; ++i) answer += "This is sentence " + std::to_string(i) + ". ";
  model_.answers = {answer};
  const Summary summary = summarize({message("hello")}, 50);
  EXPECT_LE(text::count_tokens(summary.content, kEncoding), 50);
  EXPECT_GT(text::count_tokens(summary.content, kEncoding), 30);
  EXPECT_TRUE(summary.content.ends_with(".")) << summary.content;
}

TEST_F(LlmSummarizerTest, CutsASentenceThatIsTooLongItself) {
  std::string answer = "Once";
  for (int i = 0; i < 1000; ++i) answer += " and again";
  model_.answers = {answer};
  const Summary summary = summarize({message("hello")}, 50);
  EXPECT_LE(text::count_tokens(summary.content, kEncoding), 50);
  EXPECT_GT(text::count_tokens(summary.content, kEncoding), 40);
}

TEST_F(LlmSummarizerTest, SaysNothingWhereTheModelDoes) {
  model_.answers = {" \n "};
  EXPECT_EQ(summarize({message("hello")}).content, "");
}

TEST_F(LlmSummarizerTest, PassesOnThatTheModelFails) {
  model_.error = Error(Errc::unavailable, "away");
  EXPECT_THROW(summarize({message("hello")}), Error);
}

}  // namespace
}  // namespace maas::stm
