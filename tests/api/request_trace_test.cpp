#include "api/request_trace.hpp"

#include <gtest/gtest.h>

namespace maas::api {
namespace {

TEST(RequestTrace, RedactsSignaturesAndFiltersInQueriesAndNothingElse) {
  struct Case {
    std::string_view query;
    std::string_view told;
  };
  const Case cases[] = {
      {"", ""},
      {"user_id=u-42&limit=3", "user_id=u-42&limit=3"},
      {"sig=secret", "sig=REDACTED"},
      {"a=1&Signature=secret&b=2", "a=1&Signature=REDACTED&b=2"},
      {"X-Amz-Signature=s&X-Amz-Credential=s&X-Amz-Security-Token=s&AWSAccessKeyId=s",
       "X-Amz-Signature=REDACTED&X-Amz-Credential=REDACTED&X-Amz-Security-Token=REDACTED&"
       "AWSAccessKeyId=REDACTED"},
      {"X-Goog-Signature=s=s&", "X-Goog-Signature=REDACTED&"},
      {"user_id=u&filters=%7B%22metadata.note%22%3A%22said%22%7D", "user_id=u&filters=REDACTED"},
      {"sig&signature=kept&SIG=kept", "sig&signature=kept&SIG=kept"},
  };
  for (const auto& [query, told] : cases) EXPECT_EQ(redacted_query(query), told);
}

}  // namespace
}  // namespace maas::api
