#include "llm/json_answer.hpp"

#include "support/run_task.hpp"
#include "support/scripted_chat_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace maas::llm {
namespace {

std::string found(std::string_view answer) {
  const auto object = object_in(answer);
  return object ? boost::json::serialize(*object) : "none";
}

TEST(ObjectIn, FindsTheObjectInWhatModelsSay) {
  const std::string expected = R"({"facts":["a } b","\"{"]})";
  EXPECT_EQ(found(expected), expected);
  EXPECT_EQ(found("```json\n" + expected + "\n```"), expected);
  EXPECT_EQ(found("Here you are: " + expected + " Anything else? {no}"), expected);
  EXPECT_EQ(found("In the form {\"facts\": [...]}, with {x}: " + expected), expected);
  EXPECT_EQ(found("\n<think>maybe {\"facts\":[]}?</think>" + expected), expected);
  EXPECT_EQ(found("[" + expected + "]"), expected);
}

TEST(ObjectIn, FindsNoneThatIsNotWhole) {
  for (const char* answer : {"", "no", "{", "}", R"({"facts":["a")", R"({"facts":["a]})",
                             R"({'facts':[]})", R"(["a"])", "<think>{}", R"({"a":1,})"}) {
    EXPECT_EQ(found(answer), "none") << answer;
  }
}

TEST(ObjectIn, TakesLittleTimeForHostileAnswers) {
  std::string nested, braces(1 << 20, '{'), keys;
  while (nested.size() < 1 << 20) nested += R"({"a":)";
  while (keys.size() < 1 << 20) keys += R"({"a":"b","c":["d","e)";
  EXPECT_EQ(found(nested), "none");
  EXPECT_EQ(found(braces), "none");
  EXPECT_EQ(found(keys), "none");
}

class AskForJson : public testing::Test {
 protected:
  std::string ask() {
    const ReadAnswer<std::string> read =
        [](const boost::json::object& object) -> std::variant<std::string, std::string> {
      using Readout = std::variant<std::string, std::string>;
      if (!object.contains("a")) return Readout(std::in_place_index<1>, "there is no \"a\"");
      return Readout(std::in_place_index<0>, boost::json::serialize(object.at("a")));
    };
    ChatRequest request;
    request.messages.push_back({"user", "Say it"});
    return running_.run(ask_for_json<std::string>(model_, std::move(request), read));
  }

  test::ScriptedChatClient model_;
  test::RunningLoops running_;
};

TEST_F(AskForJson, GivesWhatIsRead) {
  model_.answers = {R"(Sure: {"a":1})"};
  EXPECT_EQ(ask(), "1");
  ASSERT_EQ(model_.requests.size(), 1u);
  EXPECT_TRUE(model_.requests[0].json);
}

TEST_F(AskForJson, ShowsTheModelOnceWhatIsWrong) {
  model_.answers = {R"({"b":1})", R"({"a":2})"};
  EXPECT_EQ(ask(), "2");
  const auto& messages = model_.requests.at(1).messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1].role, "assistant");
  EXPECT_EQ(messages[1].content, R"({"b":1})");
  EXPECT_NE(messages[2].content.find("there is no \"a\""), std::string::npos);
}

TEST_F(AskForJson, GivesUpAfterTheSecondAnswer) {
  model_.answers = {"no", "never", R"({"a":3})"};
  try {
    ask();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::upstream_failed);
    EXPECT_NE(std::string(error.what()).find("scripted-1"), std::string::npos);
  }
  EXPECT_EQ(model_.requests.size(), 2u);
}

TEST_F(AskForJson, SaysThatAnAnswerWasCut) {
  model_.answers = {R"({"a":[1,)", R"({"a":4})"};
  model_.cut = true;
  EXPECT_EQ(ask(), "4");
  EXPECT_NE(model_.requests.at(1).messages.back().content.find("limit of tokens"),
            std::string::npos);
}

}  // namespace
}  // namespace maas::llm
