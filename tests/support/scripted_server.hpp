#pragma once

#include "core/task.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace maas::test {

// A request as it came, head and body.
struct ReceivedRequest {
  std::size_t number = 0;  // from 0, over all connections
  std::string head;
  std::string body;
};

// What to do with a request.
struct ScriptedAnswer {
  std::string bytes;   // sent as they are
  bool close = false;  // cut the connection then
  bool hold = false;   // never answer; wait until the client closes
};

inline ScriptedAnswer http_answer(const std::string& status, const std::string& body,
                                  const std::string& more_headers = {}) {
  return {.bytes = "HTTP/1.1 " + status + "\r\n" + more_headers +
                   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
}

// Plays an upstream's part by a script: a thread that listens on a free port of 127.0.0.1 and
// calls the script, on that thread, with each request. With a certificate and its key (PEM files)
// it speaks TLS.
class ScriptedServer {
 public:
  using Script = std::function<ScriptedAnswer(const ReceivedRequest&)>;
  struct Identity {
    std::string certificate_file;
    std::string key_file;
  };

  explicit ScriptedServer(Script script, std::optional<Identity> identity = std::nullopt)
      : script_(std::move(script)) {
    if (identity) {
      tls_.emplace(boost::asio::ssl::context::tls_server);
      tls_->use_certificate_chain_file(identity->certificate_file);
      tls_->use_private_key_file(identity->key_file, boost::asio::ssl::context::pem);
    }
    acceptor_.open(boost::asio::ip::tcp::v4());
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    boost::asio::co_spawn(context_, accept(), boost::asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }

  ~ScriptedServer() {
    context_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/") const {
    return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port_) + path;
  }

  std::size_t connections() const { return count(connections_); }
  std::size_t closed_connections() const { return count(closed_); }
  std::size_t requests() const { return count(requests_); }

  void wait_for_requests(std::size_t wanted) { wait_for(requests_, wanted); }
  void wait_for_closed_connections(std::size_t wanted) { wait_for(closed_, wanted); }

 private:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
  static constexpr auto kTuple = boost::asio::as_tuple(use_task);

  std::size_t count(const std::size_t& counter) const {
    const std::lock_guard lock(mutex_);
    return counter;
  }

  std::size_t increase(std::size_t& counter) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    return counter++;
  }

  void wait_for(const std::size_t& counter, std::size_t wanted) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return counter >= wanted; });
  }

  Task<> accept() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (error) co_return;
      increase(connections_);
      if (tls_) {
        boost::asio::co_spawn(context_, serve_tls(std::move(socket)), boost::asio::detached);
      } else {
        boost::asio::co_spawn(context_, serve_plain(std::move(socket)), boost::asio::detached);
      }
    }
  }

  Task<> serve_plain(Socket socket) {
    co_await serve(socket);
    increase(closed_);
  }

  Task<> serve_tls(Socket socket) {
    boost::asio::ssl::stream<Socket> stream(std::move(socket), *tls_);
    const auto [error] =
        co_await stream.async_handshake(boost::asio::ssl::stream_base::server, kTuple);
    if (!error) co_await serve(stream);
    increase(closed_);
  }

  template <class Stream>
  Task<> serve(Stream& stream) {
    std::string buffer;
    while (true) {
      ReceivedRequest request;
      const auto [no_head, head_size] = co_await boost::asio::async_read_until(
          stream, boost::asio::dynamic_buffer(buffer), "\r\n\r\n", kTuple);
      if (no_head) co_return;
      request.head = buffer.substr(0, head_size);
      buffer.erase(0, head_size);
      const std::size_t body_size = content_length(request.head);
      if (buffer.size() < body_size) {
        const auto [no_body, size] = co_await boost::asio::async_read(
            stream, boost::asio::dynamic_buffer(buffer),
            boost::asio::transfer_exactly(body_size - buffer.size()), kTuple);
        if (no_body) co_return;
      }
      request.body = buffer.substr(0, body_size);
      buffer.erase(0, body_size);
      request.number = next_number_++;
      const ScriptedAnswer answer = script_(request);
      increase(requests_);
      if (answer.hold) {
        char byte = 0;
        co_await stream.async_read_some(boost::asio::buffer(&byte, 1), kTuple);
        co_return;
      }
      const auto [no_answer, written] =
          co_await boost::asio::async_write(stream, boost::asio::buffer(answer.bytes), kTuple);
      if (no_answer || answer.close) co_return;
    }
  }

  static std::size_t content_length(std::string_view head) {
    constexpr std::string_view kName = "Content-Length: ";
    const std::size_t at = head.find(kName);
    if (at == head.npos) return 0;
    std::size_t size = 0;
    std::from_chars(head.data() + at + kName.size(), head.data() + head.size(), size);
    return size;
  }

  Script script_;
  boost::asio::io_context context_{1};
  Acceptor acceptor_{context_.get_executor()};
  std::optional<boost::asio::ssl::context> tls_;
  std::uint16_t port_ = 0;
  std::size_t next_number_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t connections_ = 0;
  std::size_t closed_ = 0;
  std::size_t requests_ = 0;
  std::thread thread_;
};

}  // namespace maas::test
