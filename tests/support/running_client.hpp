#pragma once

#include "core/error.hpp"
#include "http/client.hpp"
#include "support/run_task.hpp"
#include "support/scripted_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <string>
#include <vector>

namespace maas::test {

using http::Client;
using http::ClientOptions;
using http::ClientReply;
using http::ClientRequest;

// The proxies of whoever runs the tests are not asked.
inline const bool kNoProxy = setenv("no_proxy", "*", 1) == 0;

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
  RunningLoops running_;
  http::Client client_;
};

inline ClientRequest post(const ScriptedServer& server, const std::string& body = "{}") {
  return {.url = server.url(),
          .headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer hunter2"}},
          .body = body};
}

inline ScriptedServer::Script always(const ScriptedAnswer& answer) {
  return [answer](const ReceivedRequest&) { return answer; };
}

// The answers in turn, the last one for ever.
inline ScriptedServer::Script in_turn(const std::vector<ScriptedAnswer>& answers) {
  return [answers](const ReceivedRequest& request) {
    return answers[std::min(request.number, answers.size() - 1)];
  };
}

inline constexpr const char* kSoon = "Retry-After-Ms: 1\r\n";
inline const ScriptedAnswer kHold{.bytes = "", .hold = true};
inline const ScriptedAnswer kCutInReply{
    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", .close = true};

}  // namespace maas::test
