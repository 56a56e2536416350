// What a client sends, through the real connection, router and routes: every reply is well-formed
// HTTP with a JSON object, and none is a 500.
//
// The input is the client's bytes. Four that no UTF-8 holds stand for what happens meanwhile:
// 0xFF what follows comes in a further packet, 0xFE the deadline passes, 0xFD the server begins to
// stop, 0xFC the server asks for API keys.
#include "api/routes.hpp"
#include "core/log.hpp"
#include "fuzz/check.hpp"
#include "http/connection.hpp"
#include "http/gzip.hpp"
#include "support/memory_message_store.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/parse.hpp>

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace maas::fuzz {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace json = boost::json;

constexpr char kDeadline = '\xFE';
constexpr char kStop = '\xFD';
constexpr char kAskForKeys = '\xFC';
constexpr std::string_view kEvents = "\xFF\xFE\xFD\xFC";

// The server without its listener: one event loop, limits small enough to be met.
struct Service {
  Service() {
    log::set_level(log::Level::off);
    api::add_health_routes(
        router,
        {{.name = "stm", .engine = "memory", .problem = [this] { return store.problem(); }}});
    api::add_stm_routes(router, memory);
  }

  static Service& instance() {
    static Service service;
    return service;
  }

  http::ServerOptions options{
      .max_head_bytes = 2048, .max_body_bytes = 4096, .cors_origins = {"https://app.example"}};
  asio::io_context loop{1};
  asio::executor_work_guard<Executor> work = asio::make_work_guard(loop);
  asio::thread_pool pool{1};
  test::MemoryMessageStore store;
  std::unique_ptr<stm::Summarizer> summarizer =
      stm::make_extractive_summarizer(text::Encoding::o200k_base, pool);
  stm::ShortTermMemory memory{
      store, *summarizer, {.max_messages = 5, .max_tokens = 100}, text::Encoding::o200k_base, pool};
  http::Router router;
  api::ApiKeys no_keys;
  api::ApiKeys keys = api::ApiKeys::parse("a:key-a,b:key-b");
  http::Handler open_handler = api::make_handler(router, no_keys, nullptr);
  http::Handler guarded_handler = api::make_handler(router, keys, nullptr);
};

// One client, from its first byte to the end of its connection.
class Visit {
 public:
  Visit() {
    service_.store.clear();
    std::array<int, 2> ends{};
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
    client_ = ends[0];
    http::Socket socket(service_.loop.get_executor(), asio::ip::tcp::v4(), ends[1]);
    connection_ = std::make_shared<http::Connection>(std::move(socket), context_);
    asio::co_spawn(service_.loop, http::Connection::serve(connection_),
                   asio::bind_cancellation_slot(connection_->cancellation.slot(),
                                                [this](std::exception_ptr failure) {
                                                  check(!failure, "a connection never throws");
                                                  ended_ = true;
                                                }));
  }
  ~Visit() { ::close(client_); }
  Visit(const Visit&) = delete;

  void run(std::string_view input) {
    while (!input.empty()) {
      const std::string_view packet = input.substr(0, input.find_first_of(kEvents));
      send(packet);
      input.remove_prefix(packet.size());
      if (input.empty()) break;
      pump();
      happen(input.front());
      input.remove_prefix(1);
    }
    pump();
    ::shutdown(client_, SHUT_WR);
    while (!ended_) {
      service_.loop.run_one();
      receive();
    }
    receive();
    check_replies();
  }

 private:
  // What the server says that it has answered.
  struct Answer {
    bool head_only;
    int status;
  };

  void send(std::string_view packet) {
    while (!packet.empty()) {
      const ssize_t sent =
          ::send(client_, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return;  // the server has closed
      if (sent > 0) packet.remove_prefix(static_cast<std::size_t>(sent));
      if (!packet.empty()) pump();
    }
  }

  // Lets the server do what it can without hearing more.
  void pump() {
    do {
      service_.loop.poll();
    } while (receive());
  }

  bool receive() {
    thread_local std::array<char, 64 * 1024> piece;
    const ssize_t count = ::recv(client_, piece.data(), piece.size(), MSG_DONTWAIT);
    if (count <= 0) return false;
    replies_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
  }

  void happen(char event) {
    if (event == kAskForKeys) asks_for_keys_ = true;
    if (ended_) return;
    if (event == kDeadline) connection_->expire();
    if (event == kStop) connection_->drain();
  }

  void check_replies() const {
    std::string_view rest = without_interim(replies_);
    bool closed = false;
    for (const Answer& answer : answers_) {
      check(!closed, "nothing follows a reply that closes");
      beast::http::response_parser<beast::http::string_body> parser;
      parser.body_limit(boost::none);
      parser.eager(true);
      parser.skip(answer.head_only);
      beast::error_code error;
      rest.remove_prefix(parser.put(asio::buffer(rest), error));
      check(!error && parser.is_done(), "a reply is one whole HTTP message");
      check_reply(parser.get(), answer);
      closed = !parser.get().keep_alive();
      rest = without_interim(rest);
    }
    check(rest.empty(), "the server sends replies only");
  }

  static std::string_view without_interim(std::string_view text) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    while (text.starts_with(kContinue)) text.remove_prefix(kContinue.size());
    return text;
  }

  static void check_reply(const beast::http::response<beast::http::string_body>& reply,
                          const Answer& answer) {
    using beast::http::field;
    const auto status = static_cast<int>(reply.result_int());
    check(status == answer.status, "the reply that the server says it gave");
    check(status >= 200 && status <= 599 && status != 500, "no request makes the server fail");
    check(!reply.reason().empty(), "a status has its phrase");
    check(reply.count(field::date) == 1 && reply.count("X-Request-ID") == 1, "headers of a reply");
    if (status == 204 || answer.head_only) {
      check(reply.body().empty(), "no body where none may be");
      return;
    }
    check(reply.count(field::content_length) == 1, "a reply tells its length");
    check(reply[field::content_type] == "application/json", "a reply says that it is JSON");
    const bool zipped = reply[field::content_encoding] == "gzip";
    check_body(zipped ? http::gunzip(reply.body()) : reply.body(), status);
  }

  static void check_body(std::string_view body, int status) {
    json::parse_options options;
    options.max_depth = 256;
    boost::system::error_code error;
    const json::value value = json::parse(body, error, {}, options);
    check(!error && value.is_object(), "the body of a reply is a JSON object");
    check(status < 400 || status == 503 || value.get_object().contains("detail"),
          "an error has its detail");
  }

  Service& service_ = Service::instance();
  bool asks_for_keys_ = false;
  bool ended_ = false;
  int client_ = -1;
  std::string replies_;
  std::vector<Answer> answers_;
  http::ConnectionContext context_{
      service_.options, service_.pool,
      [this](http::Request& request) {
        return asks_for_keys_ ? service_.guarded_handler(request) : service_.open_handler(request);
      },
      [this](const http::Request& request, int status, std::chrono::nanoseconds) {
        answers_.push_back({request.method == http::Method::head, status});
      }};
  std::shared_ptr<http::Connection> connection_;
};

}  // namespace
}  // namespace maas::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  maas::fuzz::Visit().run(maas::fuzz::text_of(data, size));
  return 0;
}
