#include "http/client.hpp"

#include "core/error.hpp"
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

TEST(Client, SendsWhatItIsGivenAndGivesBackTheReply) {
  ReceivedRequest received;
  ScriptedServer server([&received](const ReceivedRequest& request) {
    received = request;
    return http_answer("201 Created", "hello", "X-Request-Id:  abc \r\n");
  });
  RunningClient client;
  ClientRequest request = post(server, "{\"a\":1}");
  request.url += "path?a=b";
  const ClientReply reply = client.send(request);
  EXPECT_EQ(reply.status, 201U);
  EXPECT_EQ(reply.body, "hello");
  EXPECT_EQ(reply.header("x-request-id"), "abc");
  EXPECT_EQ(reply.header("x-request"), "");
  EXPECT_EQ(reply.attempts, 1U);
  EXPECT_TRUE(received.head.starts_with("POST /path?a=b HTTP/1.1\r\n")) << received.head;
  EXPECT_NE(received.head.find("Authorization: Bearer hunter2\r\n"), std::string::npos);
  EXPECT_NE(received.head.find("User-Agent: maas/"), std::string::npos);
  EXPECT_EQ(received.head.find("Expect"), std::string::npos);
  EXPECT_EQ(received.body, "{\"a\":1}");
}

TEST(Client, GetsWithoutABodyAfterAPost) {
  std::vector<ReceivedRequest> received;
  ScriptedServer server([&received](const ReceivedRequest& request) {
    received.push_back(request);
    return http_answer("200 OK", "");
  });
  RunningClient client;
  client.send(post(server, std::string(3'000'000, 'x')));
  client.send({.method = Method::get, .url = server.url("/models")});
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].body.size(), 3'000'000U);
  EXPECT_TRUE(received[1].head.starts_with("GET /models HTTP/1.1\r\n"));
  EXPECT_EQ(received[1].head.find("Authorization"), std::string::npos);
  EXPECT_EQ(received[1].body, "");
}

TEST(Client, KeepsItsConnectionForTheNextCall) {
  ScriptedServer server(always(http_answer("200 OK", "x")));
  RunningClient client;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.send(post(server)).body, "x");
  EXPECT_EQ(server.connections(), 1U);
}

TEST(Client, AsksAgainOnANewConnectionWhenTheKeptOneWasClosed) {
  ScriptedAnswer answer = http_answer("200 OK", "x");
  answer.close = true;
  ScriptedServer server(always(answer));
  RunningClient client;
  client.send(post(server));
  server.wait_for_closed_connections(1);
  EXPECT_EQ(client.send(post(server)).body, "x");
  EXPECT_EQ(server.connections(), 2U);
}

TEST(Client, MakesManyCallsAtATimeOnManyLoops) {
  ScriptedServer server(
      [](const ReceivedRequest& request) { return http_answer("200 OK", request.body); });
  RunningClient client({.max_concurrency = 8}, 3);
  std::vector<ClientRequest> requests;
  for (int i = 0; i < 60; ++i) requests.push_back(post(server, std::to_string(i)));
  std::vector<std::future<ClientReply>> replies;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    replies.push_back(client.start(requests[i], i % 3));
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(replies[i].get().body, requests[i].body);
  }
}

TEST(Client, SaysThatNobodyListensAndNoSecret) {
  // Bound and not listening: connections are refused.
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor bound(context);
  bound.open(boost::asio::ip::tcp::v4());
  bound.bind({boost::asio::ip::address_v4::loopback(), 0});
  RunningClient client({.upstream = "openai", .max_retries = 0});
  ClientRequest request{.url = "http://hunter2:hunter2@127.0.0.1:" +
                               std::to_string(bound.local_endpoint().port()) + "/?key=hunter2",
                        .headers = {{"Authorization", "hunter2"}},
                        .body = "hunter2"};
  const Error error = client.error_of(request);
  EXPECT_EQ(error.code(), Errc::unavailable);
  EXPECT_STREQ(error.what(), "openai can't be reached; try again");
  EXPECT_NE(error.detail(), "");
  EXPECT_EQ(error.detail().find("hunter2"), std::string::npos) << error.detail();
}

TEST(Client, RefusesUrlsThatItCantAskAndKeepsTheirSecrets) {
  RunningClient client({.upstream = "openai"});
  for (const char* url : {"ftp://hunter2:hunter2@127.0.0.1/", "file:///etc/hunter2", "hunter2://x",
                          "http://hunter2:hunter2@127.0.0.1:99999999/", "http://[hunter2", ""}) {
    const Error error = client.error_of({.url = url});
    EXPECT_EQ(error.code(), Errc::unavailable) << url;
    EXPECT_EQ(error.detail().find("hunter2:hunter2"), std::string::npos) << error.detail();
  }
}

TEST(Client, DoesNotSendHeadersWithLineBreaks) {
  ScriptedServer server(always(http_answer("200 OK", "")));
  RunningClient client;
  ClientRequest request = post(server);
  request.headers[1].second = "Bearer hunter2\r\nX-Evil: 1";
  const Error error = client.error_of(request);
  EXPECT_EQ(error.code(), Errc::internal);
  EXPECT_EQ(error.detail().find("hunter2"), std::string::npos);
  EXPECT_EQ(server.requests(), 0U);
  EXPECT_EQ(client.send(post(server)).status, 200U);
}

TEST(Client, RefusesAReplyOverTheLimit) {
  ScriptedServer server([](const ReceivedRequest& request) {
    return http_answer("200 OK", std::string(request.number == 0 ? 100'001 : 100'000, 'x'));
  });
  RunningClient client({.upstream = "openai", .max_reply_bytes = 100'000});
  const Error error = client.error_of(post(server));
  EXPECT_EQ(error.code(), Errc::upstream_failed);
  EXPECT_STREQ(error.what(), "openai sent a reply over 100000 bytes");
  EXPECT_EQ(client.send(post(server)).body.size(), 100'000U);
  EXPECT_EQ(server.requests(), 2U);
}

TEST(Client, UnpacksGzipAndHoldsTheLimitForWhatComesOut) {
  ScriptedServer server([](const ReceivedRequest& request) {
    const std::size_t size = request.number == 0 ? 10'000 : 1'000'000;
    return http_answer("200 OK", gzip(std::string(size, 'x')), "Content-Encoding: gzip\r\n");
  });
  RunningClient client({.max_reply_bytes = 100'000});
  EXPECT_EQ(client.send(post(server)).body, std::string(10'000, 'x'));
  EXPECT_EQ(client.error_of(post(server)).code(), Errc::upstream_failed);
}

TEST(Client, RefusesWhatIsNoHttp) {
  for (const char* bytes :
       {"garbage\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    ScriptedServer server(always({.bytes = bytes, .close = true}));
    RunningClient client({.max_retries = 0});
    EXPECT_EQ(client.error_of(post(server)).code(), Errc::upstream_failed) << bytes;
  }
}

TEST(Client, RefusesEndlessHeaders) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 40; ++i) head += "X: " + std::string(10'000, 'x') + "\r\n";
  ScriptedServer server(always({.bytes = head + "\r\n", .close = true}));
  RunningClient client;
  EXPECT_EQ(client.error_of(post(server)).code(), Errc::upstream_failed);
}

TEST(Client, DoesNotFollowARedirect) {
  ScriptedServer elsewhere(always(http_answer("200 OK", "")));
  ScriptedServer server(
      always(http_answer("302 Found", "", "Location: " + elsewhere.url() + "\r\n")));
  RunningClient client;
  EXPECT_EQ(client.send(post(server)).status, 302U);
  EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST(Client, AsksTheProxyThatTheEnvironmentNames) {
  std::string head;
  ScriptedServer proxy([&head](const ReceivedRequest& request) {
    head = request.head;
    return http_answer("200 OK", "by proxy");
  });
  ASSERT_TRUE(kNoProxy);
  unsetenv("no_proxy");
  setenv("http_proxy", proxy.url().c_str(), 1);
  {
    RunningClient client;
    EXPECT_EQ(client.send({.url = "http://upstream.invalid/v1"}).body, "by proxy");
  }
  unsetenv("http_proxy");
  setenv("no_proxy", "*", 1);
  EXPECT_TRUE(head.starts_with("POST http://upstream.invalid/v1 HTTP/1.1\r\n")) << head;
}

}  // namespace
}  // namespace maas::http
