#include "http/client.hpp"

#include "core/error.hpp"
#include "http/gzip.hpp"
#include "support/run_task.hpp"
#include "support/scripted_server.hpp"
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
using test::http_answer;
using test::ReceivedRequest;
using test::ScriptedAnswer;
using test::ScriptedServer;

// The proxies of whoever runs the tests are not asked.
const bool kNoProxy = setenv("no_proxy", "*", 1) == 0;

// A client with event loops of its own; they end before it does, as in a service.
class RunningClient {
 public:
  explicit RunningClient(ClientOptions options = {}, std::size_t loops = 1)
      : running_(loops), client_(running_.loops, std::move(options)) {}
  ~RunningClient() { running_.loops.abort(); }

  EventLoops& loops() { return running_.loops; }
  Client& client() { return client_; }

  std::future<ClientReply> start(const ClientRequest& request, std::size_t loop = 0) {
    return boost::asio::co_spawn(loops()[loop], client_.send(request), boost::asio::use_future);
  }
  ClientReply send(const ClientRequest& request) { return start(request).get(); }

  // The error that a call ends with; a failure of the test if it ends without one.
  Error error_of(const ClientRequest& request) {
    try {
      send(request);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the call did not fail";
    return {Errc::internal, ""};
  }

 private:
  test::RunningLoops running_;
  Client client_;
};

ClientRequest post(const ScriptedServer& server, const std::string& body = "{}") {
  return {.url = server.url(),
          .headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer hunter2"}},
          .body = body};
}

ScriptedServer::Script always(const ScriptedAnswer& answer) {
  return [answer](const ReceivedRequest&) { return answer; };
}

// The answers in turn, the last one for ever.
ScriptedServer::Script in_turn(const std::vector<ScriptedAnswer>& answers) {
  return [answers](const ReceivedRequest& request) {
    return answers[std::min(request.number, answers.size() - 1)];
  };
}

constexpr const char* kSoon = "Retry-After-Ms: 1\r\n";
const ScriptedAnswer kHold{.bytes = "", .hold = true};
const ScriptedAnswer kCutInReply{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                                 .close = true};

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

TEST(Client, EndsACancelledCallAtOnceAndFreesItsPlace) {
  ScriptedServer server(in_turn({kHold, http_answer("200 OK", "next")}));
  RunningClient client({.max_concurrency = 1});
  const ClientRequest request = post(server);
  boost::asio::cancellation_signal signal;
  std::promise<std::exception_ptr> ended;
  boost::asio::co_spawn(client.loops()[0], client.client().send(request),
                        boost::asio::bind_cancellation_slot(
                            signal.slot(), [&ended](std::exception_ptr error, const ClientReply&) {
                              ended.set_value(error);
                            }));
  server.wait_for_requests(1);
  auto next = client.start(request);
  boost::asio::post(client.loops()[0],
                    [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  const std::exception_ptr error = ended.get_future().get();
  ASSERT_TRUE(error);
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& cancelled) {
    EXPECT_EQ(cancelled.code(), boost::asio::error::operation_aborted);
  }
  server.wait_for_closed_connections(1);
  EXPECT_EQ(next.get().body, "next");
}

// Emits after so many turns of the event loop.
Task<> cancel_after(boost::asio::cancellation_signal& signal, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i) co_await boost::asio::post(use_task);
  signal.emit(boost::asio::cancellation_type::terminal);
}

TEST(Client, LosesNoPlaceToCancellationsAtAnyMoment) {
  std::atomic<bool> cuts = true;
  ScriptedServer server([&cuts](const ReceivedRequest& request) {
    return cuts && request.number % 5 == 0 ? kCutInReply : http_answer("200 OK", request.body);
  });
  RunningClient client({.max_concurrency = 4, .max_waiting = 1000}, 3);
  const ClientRequest request = post(server);
  std::vector<boost::asio::cancellation_signal> signals(300);
  std::vector<std::promise<void>> ended(signals.size());
  for (std::size_t i = 0; i < signals.size(); ++i) {
    boost::asio::co_spawn(client.loops()[i % 3], client.client().send(request),
                          boost::asio::bind_cancellation_slot(
                              signals[i].slot(), [&ended, i](std::exception_ptr, ClientReply) {
                                ended[i].set_value();
                              }));
    boost::asio::co_spawn(client.loops()[i % 3], cancel_after(signals[i], i),
                          boost::asio::detached);
  }
  for (auto& each : ended) each.get_future().get();
  cuts = false;
  std::vector<std::future<ClientReply>> replies;
  for (std::size_t i = 0; i < 12; ++i) replies.push_back(client.start(request, i % 3));
  for (auto& reply : replies) EXPECT_EQ(reply.get().body, request.body);
}

TEST(Client, GivesItsPlaceBackDuringAPause) {
  ScriptedServer server([](const ReceivedRequest& request) {
    if (request.body == "limited") {
      return http_answer("429 Too Many Requests", "", "Retry-After: 30\r\n");
    }
    return http_answer("200 OK", "");
  });
  RunningClient client({.max_concurrency = 1});
  const ClientRequest limited = post(server, "limited");
  auto pausing = client.start(limited);
  server.wait_for_requests(1);
  EXPECT_EQ(client.send(post(server)).status, 200U);
  EXPECT_EQ(pausing.wait_for(0s), std::future_status::timeout);
}

TEST(Client, LetsALimitedNumberOfCallsWait) {
  ScriptedServer server(always(kHold));
  RunningClient client({.upstream = "openai", .max_concurrency = 1, .max_waiting = 1});
  const ClientRequest request = post(server);
  auto first = client.start(request);
  auto second = client.start(request);
  const Error error = client.error_of(request);
  EXPECT_EQ(error.code(), Errc::unavailable);
  EXPECT_STREQ(error.what(),
               "too many requests wait for openai; try again, or raise LLM_MAX_CONCURRENCY");
}

TEST(Client, MayBeDestroyedWithCallsInFlight) {
  ScriptedServer server([](const ReceivedRequest& request) {
    if (request.body == "limited") {
      return http_answer("429 Too Many Requests", "", "Retry-After: 30\r\n");
    }
    return kHold;
  });
  const ClientRequest request = post(server);
  const ClientRequest limited = post(server, "limited");
  const ClientRequest unresolved{.url = "http://no-such-host.invalid/"};
  {
    RunningClient client({.max_concurrency = 4}, 2);
    for (std::size_t i = 0; i < 2; ++i) client.start(limited, i);
    server.wait_for_requests(2);
    for (std::size_t i = 0; i < 3; ++i) client.start(request, i % 2);
    server.wait_for_requests(5);
    for (std::size_t i = 0; i < 10; ++i) client.start(unresolved, i % 2);
  }
  server.wait_for_closed_connections(3);
}

// A certificate for 127.0.0.1 that nobody has signed but itself.
class ClientTls : public testing::Test {
 protected:
  void SetUp() override {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
        identity_.key_file + " -out " + identity_.certificate_file + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << "openssl can't make a certificate";
    server_.emplace(always(http_answer("200 OK", "safe")), identity_);
  }

  test::TemporaryDirectory directory_;
  ScriptedServer::Identity identity_{directory_.path() / "certificate.pem",
                                     directory_.path() / "key.pem"};
  std::optional<ScriptedServer> server_;
};

TEST_F(ClientTls, RefusesACertificateThatItDoesNotTrust) {
  RunningClient client({.upstream = "openai"});
  const Error error = client.error_of(post(*server_));
  EXPECT_EQ(error.code(), Errc::unavailable);
  EXPECT_NE(std::string(error.what()).find("MAAS_CA_FILE"), std::string::npos);
  EXPECT_EQ(server_->requests(), 0U);
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ClientTls, TrustsTheCertificatesOfAFile) {
  RunningClient client({.ca_file = identity_.certificate_file});
  EXPECT_EQ(client.send(post(*server_)).body, "safe");
  EXPECT_EQ(client.send(post(*server_)).body, "safe");
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ClientTls, RefusesATrustedCertificateOfAnotherHost) {
  RunningClient client({.ca_file = identity_.certificate_file});
  ClientRequest request = post(*server_);
  request.url = "https://localhost:" + std::to_string(server_->port()) + "/";
  EXPECT_EQ(client.error_of(request).code(), Errc::unavailable);
}

TEST_F(ClientTls, NamesTheSettingOfAFileThatCantBeRead) {
  EventLoops loops(1);
  for (const std::string& file : {identity_.key_file, std::string("/nowhere/ca.pem")}) {
    try {
      const Client client(loops, {.ca_file = file});
      FAIL() << file << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_TRUE(std::string(error.what()).starts_with("MAAS_CA_FILE " + file)) << error.what();
    }
  }
}

}  // namespace
}  // namespace maas::http
