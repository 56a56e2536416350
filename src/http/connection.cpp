#include "http/connection.hpp"

#include "core/ids.hpp"
#include "core/log.hpp"
#include "core/offload.hpp"
#include "http/gzip.hpp"
#include "http/reply.hpp"
#include "http/url.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>

namespace maas::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::size_t kReadBytes = 4 * 1024;
constexpr std::size_t kBodyReadBytes = 64 * 1024;
constexpr std::size_t kKeptBufferBytes = 16 * 1024;  // what an idle connection may hold
constexpr std::size_t kGzipFromBytes = 1024;
constexpr std::size_t kGzipElsewhereFromBytes = 64 * 1024;  // ~1 ms of compressing
constexpr std::size_t kGzipUpToBytes = std::size_t{1} << 30;
constexpr std::chrono::milliseconds kLingerTime{1000};
constexpr std::size_t kLingerBytes = 1024 * 1024;
constexpr std::size_t kMaxRequestIdBytes = 128;

constexpr auto kTuple = asio::as_tuple(use_task);

Method method_of(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get:
      return Method::get;
    case beast::http::verb::head:
      return Method::head;
    case beast::http::verb::post:
      return Method::post;
    case beast::http::verb::put:
      return Method::put;
    case beast::http::verb::patch:
      return Method::patch;
    case beast::http::verb::delete_:
      return Method::delete_;
    case beast::http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

bool well_formed_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestIdBytes && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == '-';
  });
}

Response fault_response(beast::error_code fault, const ServerOptions& options) {
  using beast::http::error;
  if (fault == error::header_limit) {
    return error_response(
        431, "The request's head is over " + std::to_string(options.max_head_bytes) + " bytes");
  }
  if (fault == error::body_limit) {
    return error_response(413, "The request's body is over " +
                                   std::to_string(options.max_body_bytes) +
                                   " bytes (MAAS_MAX_BODY_BYTES)");
  }
  return error_response(400, "Malformed HTTP request: " + fault.message());
}

}  // namespace

// One request and its reply. Kept together because the request's views point into the parser.
class Connection::Exchange {
 public:
  explicit Exchange(Connection& connection) : connection_(connection) {
    parser_.header_limit(static_cast<std::uint32_t>(options().max_head_bytes));
    parser_.body_limit(options().max_body_bytes);
  }

  // Awaits stand in statements of their own: g++ 12 miscompiles some that are part of a larger
  // expression.
  Task<Next> run() {
    bool whole = co_await read_head();
    if (whole) {
      describe_request();
      fault_ = head_fault();
      if (!fault_) whole = co_await read_body();
    } else if (fault_ && !parser_.get().target().empty()) {
      describe_request();  // as much of it as has come
    }
    if (!whole && !fault_) co_return Next::close;
    if (fault_) {
      // The rest of the request can't be told from the next one.
      Response response = *std::move(fault_);
      co_return co_await reply(std::move(response), false);
    }
    Response response = co_await handle();
    co_return co_await reply(std::move(response), true);
  }

 private:
  const ServerOptions& options() const { return connection_.context_.options; }

  // False: the client is gone or too slow, or the head is faulty; fault_ says what to answer.
  Task<bool> read_head() {
    if (connection_.buffer_.size() == 0) {
      if (connection_.draining_) co_return false;
      if (connection_.buffer_.capacity() > kKeptBufferBytes) connection_.buffer_.shrink_to_fit();
      connection_.enter(State::idle, options().idle_timeout);
      const bool arrived = co_await connection_.read_more(kReadBytes);
      if (!arrived) co_return false;
    }
    started_ = Clock::now();
    connection_.enter(State::reading_head, options().header_timeout);
    while (!parser_.is_header_done()) {
      if (!parse()) co_return false;
      if (parser_.is_header_done()) break;
      const bool arrived = co_await connection_.read_more(kReadBytes);
      if (connection_.expired_) fault_ = timed_out("head");
      if (!arrived) co_return false;
    }
    co_return true;
  }

  Task<bool> read_body() {
    if (parser_.is_done()) co_return true;
    connection_.enter(State::reading_body, options().body_timeout);
    const auto& message = parser_.get();
    if (beast::iequals(message[beast::http::field::expect], "100-continue") &&
        connection_.buffer_.size() == 0) {
      const bool written = co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (!written) co_return false;
      connection_.enter(State::reading_body, options().body_timeout);
    }
    parser_.eager(true);
    while (!parser_.is_done()) {
      if (!parse()) co_return false;
      if (parser_.is_done()) break;
      const bool arrived = co_await connection_.read_more(kBodyReadBytes);
      if (connection_.expired_) fault_ = timed_out("body");
      if (!arrived) co_return false;
    }
    request_.body = parser_.get().body();
    co_return true;
  }

  // Feeds the parser with what has been read. False: the request is faulty.
  bool parse() {
    auto& buffer = connection_.buffer_;
    if (buffer.size() == 0) return true;
    beast::error_code error;
    buffer.consume(parser_.put(buffer.data(), error));
    if (!error || error == beast::http::error::need_more) return true;
    fault_ = fault_response(error, options());
    return false;
  }

  static Response timed_out(std::string_view part) {
    return error_response(408, "The request's " + std::string(part) + " did not arrive in time");
  }

  void describe_request() {
    const auto& message = parser_.get();
    request_.method = method_of(message.method());
    request_.method_text = message.method_string();
    request_.is_http10 = message.version() == 10;
    request_.peer_address = connection_.peer_address_;
    request_.peer_port = connection_.peer_port_;
    request_.arrived = started_;
    const Target target = split_target(message.target());
    request_.path = target.path;
    request_.query_text = target.query;
    request_.headers.reserve(16);
    for (const auto& field : message) {
      request_.headers.push_back({field.name_string(), field.value()});
    }
    const std::string_view id = request_.header("X-Request-ID");
    request_.id = well_formed_request_id(id) ? std::string(id) : make_id();
  }

  // What is wrong with a head that is well-formed.
  std::optional<Response> head_fault() const {
    const auto& message = parser_.get();
    if (message.version() == 11 && message.count(beast::http::field::host) != 1) {
      return error_response(400, "A request needs exactly one Host header");
    }
    const std::string_view coding = message[beast::http::field::transfer_encoding];
    if (!coding.empty() && message.version() < 11) {
      return error_response(400, "HTTP/1.0 has no Transfer-Encoding");
    }
    if (!coding.empty() && !beast::iequals(coding, "chunked")) {
      return error_response(501, "The only transfer coding that is understood is 'chunked'");
    }
    const std::string_view expect = message[beast::http::field::expect];
    if (!expect.empty() && !beast::iequals(expect, "100-continue")) {
      return error_response(417, "The only expectation that is understood is '100-continue'");
    }
    return std::nullopt;
  }

  Task<Response> handle() {
    const ConnectionContext& context = connection_.context_;
    if (auto preflight = preflight_response(request_, options().cors_origins)) {
      co_return *std::move(preflight);
    }
    connection_.enter(State::handling, options().request_timeout);
    Response response = error_response(500, "Internal Server Error");
    try {
      response = co_await context.handler(request_);
    } catch (const std::exception& error) {
      log::error("a request's handler failed",
                 {{"request_id", request_.id}, {"error", error.what()}});
    }
    // The handler saw its waits cut short; a late success stays one.
    if (connection_.expired_ && response.status >= 500) {
      response = error_response(504, "The request took longer than " +
                                         std::to_string(options().request_timeout.count()) +
                                         " ms (MAAS_REQUEST_TIMEOUT_MS); it may have taken effect");
    }
    co_return response;
  }

  Task<Next> reply(Response response, bool reusable) {
    if (request_.id.empty()) request_.id = make_id();  // the head never became whole
    add_cors_headers(request_, options().cors_origins, response);
    if (response.body.size() >= kGzipFromBytes && response.body.size() <= kGzipUpToBytes) {
      co_await compress(response);
    }
    const auto& message = parser_.get();
    const bool keep_alive = reusable && message.keep_alive() && !connection_.draining_;
    const std::string bytes = serialize_reply(response, request_.id,
                                              {.http10 = message.version() == 10,
                                               .keep_alive = keep_alive,
                                               .head_only = request_.method == Method::head});
    connection_.enter(State::writing, options().idle_timeout);
    const bool written = co_await connection_.write(bytes);
    connection_.context_.observer(request_, response.status, Clock::now() - started_);
    if (!written) co_return Next::close;
    if (keep_alive) co_return Next::request;
    co_await connection_.linger();
    co_return Next::close;
  }

  // Compresses a body unless the handler has done so or the client can't read it.
  Task<> compress(Response& response) {
    for (const auto& [name, value] : response.headers) {
      if (beast::iequals(name, "Content-Encoding")) co_return;
    }
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (!accepts_gzip(request_.header("Accept-Encoding"))) co_return;
    if (response.body.size() < kGzipElsewhereFromBytes) {
      response.body = gzip(response.body);
    } else {
      auto shrink = [&response] { return gzip(response.body); };
      std::string compressed = co_await offload(connection_.context_.pool, shrink);
      response.body = std::move(compressed);
    }
    response.headers.emplace_back("Content-Encoding", "gzip");
  }

  Connection& connection_;
  Parser parser_;
  Request request_;
  std::optional<Response> fault_;
  Clock::time_point started_ = Clock::now();
};

Connection::Connection(Socket socket, const ConnectionContext& context)
    : socket_(std::move(socket)), context_(context) {
  beast::error_code gone;  // such a peer will be told nothing
  const auto peer = socket_.remote_endpoint(gone);
  if (gone) return;
  peer_address_ = peer.address().to_string();
  peer_port_ = peer.port();
}

Task<> Connection::serve(std::shared_ptr<Connection> self) {
  // Time-outs come as cancellation; every wait below looks at its own result instead.
  co_await asio::this_coro::throw_if_cancelled(false);
  Next next = Next::request;
  while (next == Next::request) next = co_await self->exchange();
  beast::error_code ignored;  // the peer may be gone already
  self->socket_.close(ignored);
}

Task<> Connection::refuse(std::shared_ptr<Connection> self) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Response response = error_response(503, "Too many connections (MAAS_MAX_CONNECTIONS); try again");
  response.headers.emplace_back("Retry-After", "1");
  self->enter(State::writing, kLingerTime);
  const std::string bytes = serialize_reply(response, make_id(), {.keep_alive = false});
  const bool written = co_await self->write(bytes);
  if (written) co_await self->linger();
  beast::error_code ignored;  // the peer may be gone already
  self->socket_.close(ignored);
}

Task<Connection::Next> Connection::exchange() {
  Exchange exchange(*this);
  co_return co_await exchange.run();
}

// Reads what has come, at most `wanted` bytes. False: end of stream, an error, or out of time.
Task<bool> Connection::read_more(std::size_t wanted) {
  const auto [error, count] = co_await socket_.async_read_some(buffer_.prepare(wanted), kTuple);
  buffer_.commit(count);
  co_return !error && !expired_;
}

// A reader that takes some bytes within the idle time-out is slow, one that takes none is gone.
Task<bool> Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto [error, count] =
        co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), kTuple);
    if (error || expired_) co_return false;
    bytes.remove_prefix(count);
    if (!bytes.empty()) enter(State::writing, context_.options.idle_timeout);
  }
  co_return true;
}

// Closing a socket with unread input resets it, which may destroy a reply that the client has not
// read yet. So: no more from us, then take and drop what still comes, for a while.
Task<> Connection::linger() {
  beast::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  enter(State::writing, kLingerTime);
  std::size_t dropped = 0;
  while (!error && !expired_ && dropped < kLingerBytes) {
    buffer_.clear();
    const auto [failure, count] =
        co_await socket_.async_read_some(buffer_.prepare(kBodyReadBytes), kTuple);
    error = failure;
    dropped += count;
  }
}

void Connection::enter(State state, std::chrono::milliseconds limit) {
  state_ = state;
  deadline_ = Clock::now() + limit;
  expired_ = false;
}

void Connection::expire() {
  expired_ = true;
  deadline_ = Clock::time_point::max();
  cancellation.emit(asio::cancellation_type::terminal);
}

void Connection::drain() {
  draining_ = true;
  if (state_ == State::idle) expire();
}

}  // namespace maas::http
