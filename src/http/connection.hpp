#pragma once

#include "http/server.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace maas::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Clock = std::chrono::steady_clock;

// What all connections of a server share. Outlives them.
struct ConnectionContext {
  const ServerOptions& options;
  boost::asio::thread_pool& pool;
  Handler handler;
  RequestObserver observer;
};

// One client: reads requests and writes their replies in order until either side ends it. Lives on
// one event loop. It keeps no timer: the listener's sweep calls expire() once `deadline` has
// passed.
class Connection : public std::enable_shared_from_this<Connection>,
                   public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Connection(Socket socket, const ConnectionContext& context);

  // Serves the client. Spawned with `cancellation` as its slot; `self` keeps the connection alive.
  static Task<> serve(std::shared_ptr<Connection> self);
  // Tells the client that the server has too many connections.
  static Task<> refuse(std::shared_ptr<Connection> self);

  // Interrupts what the connection waits for; what it then answers depends on what that was.
  void expire();
  // Ends an idle connection at once; a busy one answers its request and then closes.
  void drain();

  Clock::time_point deadline() const { return deadline_; }

  boost::asio::cancellation_signal cancellation;

 private:
  enum class State { idle, reading_head, reading_body, handling, writing };
  enum class Next { request, close };
  class Exchange;

  Task<Next> exchange();
  Task<bool> read_more(std::size_t wanted);
  Task<bool> write(std::string_view bytes);
  Task<> linger();
  void enter(State state, std::chrono::milliseconds limit);

  Socket socket_;
  const ConnectionContext& context_;
  std::string peer_address_;  // empty: it is gone
  std::uint16_t peer_port_ = 0;
  boost::beast::flat_buffer buffer_;
  State state_ = State::idle;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool expired_ = false;
  bool draining_ = false;
};

}  // namespace maas::http
