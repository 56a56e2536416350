#include "trace/otlp_sender.hpp"

#include <gtest/gtest.h>

namespace maas::trace {
namespace {

TEST(PartialSuccess, IsReadFromProtobufAndJson) {
  const std::string protobuf("\x0a\x06\x08\x03\x12\x02no", 8);
  for (const auto& [body, is_json] :
       {std::pair<std::string, bool>(protobuf, false),
        {R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}})", true},
        {R"({"partialSuccess":{"rejectedDataPoints":3,"errorMessage":"no"}})", true}}) {
    const auto read = read_partial_success(body, is_json);
    ASSERT_TRUE(read) << body;
    EXPECT_EQ(read->rejected, 3U) << body;
    EXPECT_EQ(read->message, "no") << body;
  }
}

TEST(PartialSuccess, IsNoneInAReplyThatHasNone) {
  for (const auto& [body, is_json] : {std::pair<std::string, bool>("", false),
                                      {"", true},
                                      {"{}", true},
                                      {std::string("\x0a\x00", 2), false},
                                      {R"({"partialSuccess":{}})", true}}) {
    const auto read = read_partial_success(body, is_json);
    ASSERT_TRUE(read) << body;
    EXPECT_EQ(read->rejected, 0U) << body;
    EXPECT_EQ(read->message, "") << body;
  }
}

TEST(PartialSuccess, IsUnknownInWhatIsNoReply) {
  for (const auto& [body, is_json] : {std::pair<std::string, bool>("\xff\xff\xff garbage", false),
                                      {"[]", true},
                                      {"{", true},
                                      {R"({"partialSuccess":3})", true},
                                      {R"({"partialSuccess":{"rejectedSpans":-1}})", true}}) {
    EXPECT_FALSE(read_partial_success(body, is_json)) << body;
  }
}

}  // namespace
}  // namespace maas::trace
