#include "http/server.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/timer.hpp"
#include "http/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <future>

namespace maas::http {
namespace {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// How late a time-out may come; short time-outs are for tests and experiments.
constexpr std::chrono::milliseconds kSweepInterval{50};
// Pause after a failed accept, such as with no file descriptor left.
constexpr std::chrono::milliseconds kAcceptPause{50};
// Connections over the limit that are told so at one time; more are closed without a word.
constexpr std::size_t kMaxRefused = 256;

asio::ip::tcp::endpoint resolve(const std::string& host, std::uint16_t port,
                                asio::io_context& loop) {
  boost::system::error_code error;
  asio::ip::tcp::resolver resolver(loop);
  const auto found = resolver.resolve(host, std::to_string(port), error);
  if (error || found.empty()) {
    throw Error(Errc::unavailable, "cannot listen on '" + host + "': " + error.message());
  }
  // "localhost" often names ::1 first; who connects to 127.0.0.1 is not to find nobody there.
  const auto known_to_all = std::find_if(found.begin(), found.end(), [](const auto& entry) {
    return entry.endpoint().address().is_v4();
  });
  return (known_to_all == found.end() ? found.begin() : known_to_all)->endpoint();
}

[[noreturn]] void fail_to_listen(const asio::ip::tcp::endpoint& endpoint,
                                 const boost::system::error_code& error) {
  const std::string port = std::to_string(endpoint.port());
  std::string text = "cannot listen on " + endpoint.address().to_string() + " port " + port + ": " +
                     error.message();
  if (error == asio::error::address_in_use) {
    text += "; end the other program or choose another port with --port or MAAS_PORT";
  }
  throw Error(Errc::unavailable, text);
}

// SO_REUSEPORT would let a second server share the port unnoticed and take half of the requests.
void check_free(const asio::ip::tcp::endpoint& endpoint, asio::io_context& loop) {
  boost::system::error_code error;
  Acceptor probe(loop.get_executor());
  probe.open(endpoint.protocol());
  probe.set_option(Acceptor::reuse_address(true));
  probe.bind(endpoint, error);
  if (error) fail_to_listen(endpoint, error);
}

}  // namespace

// What one event loop accepts and serves.
class Server::Listener {
 public:
  Listener(asio::io_context& loop, const asio::ip::tcp::endpoint& endpoint,
           const ConnectionContext& context, std::atomic<std::size_t>& open_connections)
      : loop_(loop),
        acceptor_(loop.get_executor()),
        timer_(loop.get_executor()),
        context_(context),
        open_connections_(open_connections) {
    try {
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(Acceptor::reuse_address(true));
      acceptor_.set_option(ReusePort(true));
      acceptor_.bind(endpoint);
      acceptor_.listen(asio::socket_base::max_listen_connections);
    } catch (const boost::system::system_error& error) {
      fail_to_listen(endpoint, error.code());
    }
  }

  asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

  void start() {
    asio::co_spawn(loop_, accept(), asio::detached);
    asio::co_spawn(loop_, sweep(), asio::detached);
  }

  // Closes down; `stopped` is fulfilled when the last connection has ended.
  void drain(std::chrono::milliseconds limit, std::promise<void>& stopped) {
    asio::post(loop_, [this, limit, &stopped] {
      stopped_ = &stopped;
      cut_at_ = Clock::now() + limit;
      boost::system::error_code ignored;  // it is being given up either way
      acceptor_.close(ignored);
      // Drained connections only post their end, so the list does not change under the loop.
      for (Connection& connection : connections_) connection.drain();
      timer_.cancel();
    });
  }

 private:
  Task<> accept() {
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(use_task));
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
      if (error) {
        log::warn("cannot accept a connection", {{"error", error.message()}});
        co_await pause(kAcceptPause);
        continue;
      }
      boost::system::error_code failed;
      socket.set_option(asio::ip::tcp::no_delay(true), failed);
      admit(std::move(socket));
    }
  }

  void admit(Socket socket) {
    const std::size_t limit = context_.options.max_connections;
    const std::size_t open = open_connections_.fetch_add(1, std::memory_order_relaxed);
    if (open >= limit + kMaxRefused) {
      open_connections_.fetch_sub(1, std::memory_order_relaxed);
      return;  // closes the socket
    }
    auto connection = std::make_shared<Connection>(std::move(socket), context_);
    connections_.push_back(*connection);
    ++connection_count_;
    Task<> task = open >= limit ? Connection::refuse(connection) : Connection::serve(connection);
    auto ended = [this, connection](std::exception_ptr failure) { end(*connection, failure); };
    asio::co_spawn(loop_, std::move(task),
                   asio::bind_cancellation_slot(connection->cancellation.slot(), std::move(ended)));
  }

  void end(Connection& connection, std::exception_ptr failure) {
    connection.unlink();
    --connection_count_;
    open_connections_.fetch_sub(1, std::memory_order_relaxed);
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      log::error("a connection failed", {{"error", error.what()}});
    }
    if (stopped_ && connection_count_ == 0) timer_.cancel();
  }

  // Ends what has passed its deadline.
  Task<> sweep() {
    while (true) {
      if (stopped_ && connection_count_ == 0) break;
      timer_.expires_after(kSweepInterval);
      co_await timer_.async_wait(asio::as_tuple(use_task));
      const auto time = Clock::now();
      const bool cut = stopped_ && time >= cut_at_;
      for (Connection& connection : connections_) {
        if (cut || connection.deadline() <= time) connection.expire();
      }
    }
    stopped_->set_value();
  }

  asio::io_context& loop_;
  Acceptor acceptor_;
  Timer timer_;
  ConnectionContext context_;
  std::atomic<std::size_t>& open_connections_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  std::size_t connection_count_ = 0;
  std::promise<void>* stopped_ = nullptr;
  Clock::time_point cut_at_ = Clock::time_point::max();
};

Server::Server(ServerOptions options, EventLoops& loops, asio::thread_pool& pool, Handler handler,
               RequestObserver observer)
    : options_(std::move(options)) {
  asio::ip::tcp::endpoint endpoint = resolve(options_.host, options_.port, loops[0]);
  if (options_.port != 0) check_free(endpoint, loops[0]);
  for (std::size_t i = 0; i < loops.size(); ++i) {
    listeners_.push_back(std::make_unique<Listener>(
        loops[i], endpoint, ConnectionContext{options_, pool, handler, observer},
        open_connections_));
    endpoint = listeners_.front()->endpoint();  // the others share the port that was given
  }
}

Server::~Server() = default;

std::uint16_t Server::port() const { return listeners_.front()->endpoint().port(); }

void Server::start() {
  for (auto& listener : listeners_) listener->start();
}

void Server::stop() {
  std::vector<std::promise<void>> stopped(listeners_.size());
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    listeners_[i]->drain(options_.stop_timeout, stopped[i]);
  }
  for (auto& promise : stopped) promise.get_future().wait();
}

}  // namespace maas::http
