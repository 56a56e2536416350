#include "llm/upstream_errors.hpp"

#include <gtest/gtest.h>

namespace maas::llm {
namespace {

const Upstream kUpstream{.provider = "openai",
                         .model = "gpt-4.1-mini",
                         .key = "sk-0123456789abcdefghijklmnopqrstuvwxyz",
                         .key_setting = "LLM_API_KEY",
                         .model_setting = "LLM_MODEL"};

TEST(UpstreamErrors, NameProviderModelAndStatusAndWhatToCheck) {
  const Error error = refused(kUpstream, 401, "wrong key", "{}");
  EXPECT_EQ(error.code(), Errc::upstream_failed);
  EXPECT_STREQ(error.what(),
               "openai refused the request for the model gpt-4.1-mini with status 401; check "
               "LLM_API_KEY");
  EXPECT_EQ(error.detail(), "wrong key");
}

TEST(UpstreamErrors, TellAdviceByStatus) {
  const auto text = [](unsigned status) {
    return std::string(refused(kUpstream, status, "", "{}").what());
  };
  EXPECT_TRUE(text(404).ends_with("status 404; check LLM_MODEL"));
  EXPECT_NE(text(429).find("status 429; its limit"), std::string::npos);
  EXPECT_EQ(text(500), "openai failed for the model gpt-4.1-mini with status 500");
}

// Each reply holds the key twice, the second time near where what is shown of it ends.
TEST(UpstreamErrors, ShowNoPartOfTheKeyWhereverItStands) {
  for (std::size_t between = 200; between < 360; ++between) {
    const std::string reply = "key " + kUpstream.key + std::string(between, '.') + kUpstream.key;
    const std::string detail(refused(kUpstream, 401, reply, "{}").detail());
    EXPECT_TRUE(detail.starts_with("key ***..")) << detail;
    EXPECT_EQ(detail.find("sk-0"), std::string::npos) << between << ": " << detail;
  }
}

TEST(UpstreamErrors, ShowTheBeginningOfALongReplyInOneLine) {
  const std::string reply = "one\ntwo " + std::string(300 - 9, 'x') + "\u00e9 and more";
  EXPECT_EQ(refused(kUpstream, 500, reply, "{}").detail(), "one two " + std::string(300 - 9, 'x'));
  EXPECT_EQ(refused(kUpstream, 500, "模型不存在", "{}").detail(), "模型不存在");
}

TEST(UpstreamErrors, ShowNothingThatTheRequestSaid) {
  const std::string request =
      R"({"model":"m","messages":[{"role":"user","content":"I am Ünal and live in Lisbon"}]})";
  const auto detail = [&](std::string_view reply) {
    return std::string(refused(kUpstream, 400, reply, request).detail());
  };
  EXPECT_EQ(detail(R"({"error":{"message":"can't read 'I am \u00dcnal and live in Lisbon'"}})"),
            R"({"error":{"message":"can't read '…'"}})");
  EXPECT_EQ(detail("no JSON: live in Lisbon!"), "no JSON:…!");
  EXPECT_EQ(detail(R"({"error":{"message":"too many tokens","type":"invalid_request_error"}})"),
            R"({"error":{"message":"too many tokens","type":"invalid_request_error"}})");
  EXPECT_EQ(detail("user"), "user");
}

}  // namespace
}  // namespace maas::llm
