#include "ltm/reconciliation.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace maas::ltm {
namespace {

using Decisions = std::vector<Decision>;
using Kind = Decision::Kind;

MemoryPtr memory(std::string text) {
  Memory made;
  made.id = "0190-secret";
  made.text = std::move(text);
  return std::make_shared<const Memory>(std::move(made));
}

// What is read of an answer about two memories and two facts.
Readout<Decisions> read(std::string_view answer) {
  return decisions_in(boost::json::parse(answer).as_object(), 2, 2);
}

TEST(Reconciliation, ShowsMemoriesUnderSmallNumbers) {
  const std::vector<MemoryPtr> memories{memory("Lives in \"Oslo\""), memory("Likes tea")};
  const std::vector<std::string> facts{"Moved to Lisbon"};
  const auto request = reconciliation_request(memories, facts);
  EXPECT_TRUE(request.json);
  EXPECT_NE(request.messages.back().content.find(
                R"([{"id":"0","text":"Lives in \"Oslo\""},{"id":"1","text":"Likes tea"}])"),
            std::string::npos);
  EXPECT_NE(request.messages.back().content.find(R"(["Moved to Lisbon"])"), std::string::npos);
  for (const auto& message : request.messages) {
    EXPECT_EQ(message.content.find("0190-secret"), std::string::npos);
  }
  for (const char* word : {"event", "ADD", "UPDATE", "DELETE", "NONE", "JSON"}) {
    EXPECT_NE(request.messages.front().content.find(word), std::string::npos) << word;
  }
  EXPECT_LE(text::count_tokens(request.messages.front().content, text::Encoding::cl100k_base), 900);
}

TEST(Decisions, AreReadInTheirForms) {
  EXPECT_EQ(std::get<Decisions>(read(R"({"memory":[
                {"id":"0","text":" Lives in Lisbon ","event":"UPDATE","old_memory":"x"},
                {"text":"Has a dog","event":"add"},{"id":1,"event":"Delete"}]})")),
            (Decisions{{Kind::update, 0, "Lives in Lisbon"},
                       {Kind::add, 0, "Has a dog"},
                       {Kind::remove, 1, ""}}));
  EXPECT_EQ(std::get<Decisions>(read(R"({"memory":[]})")), Decisions{});
}

TEST(Decisions, TakeAnyIdOfWhatIsNewOrUnchanged) {
  EXPECT_EQ(std::get<Decisions>(read(R"({"memory":[{"id":"9","text":"a","event":"ADD"},
                {"id":"7","text":"b","event":"NONE"},{"event":"NOOP"},{"id":"1","event":"NONE"}]})")),
            (Decisions{{Kind::add, 0, "a"}, {Kind::none, 1, ""}}));
}

TEST(Decisions, ChangeAMemoryThatHoldsAnotherFactAlready) {
  const Decisions expected{{Kind::update, 0, "a"}};
  EXPECT_EQ(std::get<Decisions>(read(R"({"memory":[{"id":"0","event":"NONE"},
                {"id":"0","text":"a","event":"UPDATE"}]})")),
            expected);
  EXPECT_EQ(std::get<Decisions>(read(R"({"memory":[{"id":"0","text":"a","event":"UPDATE"},
                {"id":"0","event":"NONE"}]})")),
            expected);
}

TEST(Decisions, SayWhatIsWrongWithThem) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {R"({"memories":[]})", "no list \"memory\""},
      {R"({"memory":{"id":"0"}})", "no list \"memory\""},
      {R"({"memory":["ADD"]})", "memory[0] is no object"},
      {R"({"memory":[{"id":"0","text":"a"}]})", "memory[0] has no \"event\""},
      {R"({"memory":[{"id":"0","text":"a","event":"REPLACE"}]})", "memory[0] has no \"event\""},
      {R"({"memory":[{"text":"a","event":"ADD"},{"id":"2","text":"a","event":"UPDATE"}]})",
       "memory[1] has an \"id\""},
      {R"({"memory":[{"id":"-1","event":"DELETE"}]})", "memory[0] has an \"id\""},
      {R"({"memory":[{"id":"0x","event":"DELETE"}]})", "memory[0] has an \"id\""},
      {R"({"memory":[{"id":null,"event":"DELETE"}]})", "memory[0] has an \"id\""},
      {R"({"memory":[{"event":"DELETE"}]})", "memory[0] has an \"id\""},
      {R"({"memory":[{"text":" ","event":"ADD"}]})", "memory[0] has no \"text\""},
      {R"({"memory":[{"event":"ADD"}]})", "memory[0] has no \"text\""},
      {R"({"memory":[{"id":"0","text":5,"event":"UPDATE"}]})", "memory[0] has no \"text\""},
      {R"({"memory":[{"id":"0","text":"a","event":"UPDATE"},{"id":"0","event":"DELETE"}]})",
       "memory[1] changes a memory for the second time"},
      {R"({"memory":[{},{},{},{},{},{},{},{},{}]})", "it has 9 entries for 2 facts"},
  };
  for (const auto& [answer, problem] : cases) {
    const auto readout = read(answer);
    ASSERT_TRUE(std::holds_alternative<std::string>(readout)) << answer;
    EXPECT_NE(std::get<std::string>(readout).find(problem), std::string::npos)
        << answer << ": " << std::get<std::string>(readout);
  }
}

}  // namespace
}  // namespace maas::ltm
