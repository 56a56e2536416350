#include "llm/chat_protocol.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace maas::llm {
namespace {

namespace json = boost::json;

ChatRequest question(bool wants_json = true) {
  ChatRequest request;
  request.messages = {{"system", "Be \"brief\"."}, {"user", "Hé\n"}};
  request.json = wants_json;
  return request;
}

const ChatParameters kParameters{.model = "m-1", .temperature = .5, .max_tokens = 100};

json::value body(const ChatRequest& request, const ChatQuirks& quirks = {}) {
  return json::parse(chat_body(request, kParameters, quirks));
}

TEST(ChatBody, HasTheFieldsOfTheProtocol) {
  EXPECT_EQ(body(question()), json::parse(R"({"model":"m-1","messages":[
      {"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Hé\n"}],
      "temperature":0.5,"max_tokens":100,"response_format":{"type":"json_object"}})"));
  EXPECT_FALSE(body(question(false)).as_object().contains("response_format"));
  ChatRequest short_answer = question();
  short_answer.max_tokens = 7;
  EXPECT_EQ(body(short_answer).at("max_tokens").to_number<int>(), 7);
}

TEST(ChatBody, LeavesOutWhatTheModelRefuses) {
  const auto fields = body(question(), {.wants_completion_tokens = true,
                                        .refuses_temperature = true,
                                        .refuses_response_format = true})
                          .as_object();
  EXPECT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields.at("max_completion_tokens").to_number<int>(), 100);
}

TEST(ChatQuirks, AreLearnedOneByOneFromComplaints) {
  const ChatRequest asked = question();
  const std::string tokens =
      "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.";
  const auto first = quirk_in(tokens, {}, asked);
  EXPECT_EQ(first, ChatQuirks{.wants_completion_tokens = true});
  const auto second = quirk_in("'temperature' does not support 0.1", *first, asked);
  EXPECT_EQ(second, (ChatQuirks{.wants_completion_tokens = true, .refuses_temperature = true}));
  EXPECT_TRUE(quirk_in("response_format is unknown", *second, asked)->refuses_response_format);
  EXPECT_EQ(quirk_in(tokens, *first, asked), std::nullopt) << "it knows that";
  EXPECT_EQ(quirk_in("response_format is unknown", {}, question(false)), std::nullopt);
  EXPECT_EQ(quirk_in("context_length_exceeded", {}, asked), std::nullopt);
}

std::string what_is_wrong(std::string_view reply) {
  try {
    completion_in(reply);
  } catch (const UnusableReply& unusable) {
    return unusable.what();
  }
  return "nothing";
}

TEST(Completion, IsReadWithItsUsage) {
  const Completion read = completion_in(R"({"id":"x","choices":[{"index":0,"message":
      {"role":"assistant","content":"hello"},"finish_reason":"stop"}],
      "usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})");
  EXPECT_EQ(read.content, "hello");
  EXPECT_FALSE(read.cut);
  EXPECT_EQ(read.prompt_tokens, 5);
  EXPECT_EQ(read.completion_tokens, 2);
  EXPECT_EQ(read.id, "x");
  EXPECT_EQ(read.finish_reason, "stop");
  EXPECT_EQ(read.model, "");
  EXPECT_EQ(read.cached_tokens, 0);
  const Completion parts = completion_in(R"({"choices":[{"message":{"content":[
      {"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]},
      "finish_reason":"length"}]})");
  EXPECT_EQ(parts.content, "ab");
  EXPECT_TRUE(parts.cut);
}

TEST(Completion, TellsWhatItCostAndWhoMadeIt) {
  const Completion read = completion_in(R"({"model":"m-2025","choices":[{"message":
      {"content":"hello"}}],"usage":{"prompt_tokens":612,"completion_tokens":31,
      "prompt_tokens_details":{"cached_tokens":512},
      "completion_tokens_details":{"reasoning_tokens":9}}})");
  EXPECT_EQ(read.model, "m-2025");
  EXPECT_EQ(read.cached_tokens, 512);
  EXPECT_EQ(read.reasoning_tokens, 9);
  const Completion odd = completion_in(R"({"model":7,"choices":[{"message":{"content":"hello"}}],
      "usage":{"prompt_tokens_details":3}})");
  EXPECT_EQ(odd.model, "");
  EXPECT_EQ(odd.cached_tokens, 0);
}

TEST(Completion, SaysWhatAReplyLacks) {
  EXPECT_EQ(what_is_wrong("<html>"), "is no JSON object");
  EXPECT_EQ(what_is_wrong("[]"), "is no JSON object");
  EXPECT_EQ(what_is_wrong(""), "is no JSON object");
  for (const char* reply : {"{}", R"({"choices":[]})", R"({"choices":{}})", R"({"choices":[1]})"}) {
    EXPECT_EQ(what_is_wrong(reply), "has no choices") << reply;
  }
  for (const char* reply :
       {R"({"choices":[{}]})", R"({"choices":[{"message":{"content":null}}]})",
        R"({"choices":[{"message":{"content":""}}]})", R"({"choices":[{"message":"x"}]})"}) {
    EXPECT_EQ(what_is_wrong(reply), "has no text") << reply;
  }
  EXPECT_NE(what_is_wrong(R"({"choices":[{"message":{},"finish_reason":"length"}]})")
                .find("LLM_MAX_TOKENS"),
            std::string::npos);
}

}  // namespace
}  // namespace maas::llm
