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

}  // namespace
}  // namespace maas::http
