// For models.py: provider PORT LATENCY_MS DIMS stands in for a provider of models that is quick
// enough to be measured against. It serves until it is told to end by SIGTERM:
//
//   POST /v1/chat/completions   a prompt for facts: the conversation's last line as one fact;
//                               a prompt for decisions: an ADD of each new fact
//   POST /v1/embeddings         a unit vector for each text, in base64, that is always the same
#include "core/event_loops.hpp"
#include "core/timer.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "support/random_vector.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/evp.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace maas;
namespace json = boost::json;

constexpr std::string_view kFacts = "New facts:\n";

std::string base64_of(const std::vector<float>& vector) {
  const std::size_t size = vector.size() * sizeof(float);
  std::string text(4 * ((size + 2) / 3) + 1, '\0');  // and a zero that the encoder writes
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(vector.data()), static_cast<int>(size));
  text.pop_back();
  return text;
}

std::string embedding_of(std::string_view text, std::size_t dims) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(std::hash<std::string_view>()(text)));
  return base64_of(test::random_vector(random, dims));
}

json::value embeddings(const json::object& asked, std::size_t dims) {
  json::array data;
  for (const json::value& text : asked.at("input").as_array()) {
    json::object item;
    item["index"] = data.size();
    item["embedding"] = embedding_of(text.as_string(), dims);
    data.push_back(std::move(item));
  }
  json::object reply;
  reply["data"] = std::move(data);
  return reply;
}

// The answer to the first prompt is what the user said, to the second that all of it is new.
json::object answer_to(std::string_view prompt) {
  json::object answer;
  if (const std::size_t at = prompt.rfind(kFacts); at != prompt.npos) {
    json::array decisions;
    const json::value facts = json::parse(prompt.substr(at + kFacts.size()));
    for (const json::value& fact : facts.as_array()) {
      json::object& decision = decisions.emplace_back(json::object_kind).get_object();
      decision["text"] = fact;
      decision["event"] = "ADD";
    }
    answer["memory"] = std::move(decisions);
    return answer;
  }
  if (prompt.ends_with('\n')) prompt.remove_suffix(1);
  const std::string_view turn = prompt.substr(prompt.rfind('\n') + 1);
  json::array facts;
  facts.emplace_back(turn.substr(turn.find(": ") + 2));
  answer["facts"] = std::move(facts);
  return answer;
}

json::value completion(const json::object& asked) {
  const json::string& prompt = asked.at("messages").as_array().back().at("content").as_string();
  json::object reply;
  json::object& choice =
      reply["choices"].emplace_array().emplace_back(json::object_kind).get_object();
  choice["finish_reason"] = "stop";
  json::object& message = choice["message"].emplace_object();
  message["role"] = "assistant";
  message["content"] = json::serialize(answer_to(prompt));
  return reply;
}

using Answer = std::function<json::value(const json::object&)>;

http::Handler after(std::chrono::milliseconds latency, Answer answer) {
  return [latency, answer = std::move(answer)](http::Request& request) -> Task<http::Response> {
    return [](http::Request& asked, std::chrono::milliseconds time,
              const Answer& make) -> Task<http::Response> {
      http::Response response;
      response.body = json::serialize(make(json::parse(asked.body).as_object()));
      if (time.count() > 0) co_await pause(time);
      co_return response;
    }(request, latency, answer);
  };
}

void serve(std::uint16_t port, std::chrono::milliseconds latency, std::size_t dims) {
  http::Router router;
  router.add(http::Method::post, "/v1/chat/completions", after(latency, completion));
  router.add(http::Method::post, "/v1/embeddings",
             after(latency, [dims](const auto& asked) { return embeddings(asked, dims); }));
  EventLoops loops(1);
  boost::asio::thread_pool pool(1);
  http::ServerOptions options;
  options.port = port;
  http::Server server(
      options, loops, pool, [&router](http::Request& request) { return router.dispatch(request); },
      [](const http::Request&, int, std::chrono::nanoseconds) {});
  loops.start();
  server.start();
  boost::asio::io_context until_told;
  boost::asio::signal_set signals(until_told, SIGINT, SIGTERM);
  signals.async_wait([](const auto&, int) {});
  until_told.run();
  server.stop();
  loops.finish();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fputs("usage: provider PORT LATENCY_MS DIMS\n", stderr);
    return 1;
  }
  try {
    serve(static_cast<std::uint16_t>(std::stoul(arguments[1])),
          std::chrono::milliseconds(std::stoul(arguments[2])), std::stoul(arguments[3]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
