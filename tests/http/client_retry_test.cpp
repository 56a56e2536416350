#include "core/error.hpp"
#include "http/client.hpp"
#include "http/gzip.hpp"
#include "support/running_client.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <vector>

namespace maas::http {
namespace {

using namespace std::chrono_literals;
using namespace test;

TEST(Client, RepeatsACallWhoseReplyWasCut) {
  ScriptedServer server(in_turn({kCutInReply, http_answer("200 OK", "whole")}));
  RunningClient client;
  const ClientReply reply = client.send(post(server));
  EXPECT_EQ(reply.body, "whole");
  EXPECT_EQ(reply.attempts, 2U);
}

TEST(Client, SaysThatRepliesWereCut) {
  ScriptedServer server(always(kCutInReply));
  RunningClient client({.upstream = "openai", .max_retries = 1});
  const Error error = client.error_of(post(server));
  EXPECT_EQ(error.code(), Errc::upstream_failed);
  EXPECT_STREQ(error.what(), "openai cut the connection before its reply was whole");
  EXPECT_EQ(server.requests(), 2U);
}

TEST(Client, HonoursAWishForAPause) {
  ScriptedServer server(in_turn({http_answer("429 Too Many Requests", "", "Retry-After: 0.001\r\n"),
                                 http_answer("200 OK", "x")}));
  RunningClient client;
  const ClientReply reply = client.send(post(server));
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.attempts, 2U);
}

TEST(Client, GivesBackTheReplyAtOnceWhenThePauseWouldPassTheDeadline) {
  ScriptedServer server(
      always(http_answer("429 Too Many Requests", "slow down", "Retry-After: 3600\r\n")));
  RunningClient client;
  const ClientReply reply = client.send(post(server));
  EXPECT_EQ(reply.status, 429U);
  EXPECT_EQ(reply.body, "slow down");
  EXPECT_EQ(server.requests(), 1U);
}

TEST(Client, GivesBackTheLastReplyWhenRetriesAreUsedUp) {
  ScriptedServer server(always(http_answer("500 Internal Server Error", "sorry", kSoon)));
  RunningClient client;
  const ClientReply reply = client.send(post(server));
  EXPECT_EQ(reply.status, 500U);
  EXPECT_EQ(reply.body, "sorry");
  EXPECT_EQ(reply.attempts, 3U);
  EXPECT_EQ(server.requests(), 3U);
}

TEST(Client, DoesNotRepeatWhatIsFinal) {
  ScriptedServer server(always(http_answer("401 Unauthorized", "", kSoon)));
  RunningClient client;
  EXPECT_EQ(client.send(post(server)).status, 401U);
  EXPECT_EQ(server.requests(), 1U);
}

TEST(Client, EndsACallAtItsDeadline) {
  ScriptedServer server(always(kHold));
  RunningClient client({.upstream = "openai", .timeout = 50ms});
  const Error error = client.error_of(post(server));
  EXPECT_EQ(error.code(), Errc::deadline_exceeded);
  EXPECT_STREQ(error.what(), "openai did not answer within 50 ms (LLM_TIMEOUT_MS)");
  server.wait_for_closed_connections(1);
}

TEST(Client, CountsWaitingForAPlaceAsTimeOfTheCall) {
  ScriptedServer server(always(kHold));
  RunningClient client({.timeout = 50ms, .max_concurrency = 1});
  const ClientRequest request = post(server);
  auto first = client.start(request);
  auto second = client.start(request);
  EXPECT_THROW(first.get(), Error);
  EXPECT_EQ(client.error_of(request).code(), Errc::deadline_exceeded);
  EXPECT_THROW(second.get(), Error);
}

}  // namespace
}  // namespace maas::http
