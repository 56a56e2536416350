#include "stm/redis_connection.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/timer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancel_after.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/redis/connection.hpp>
#include <boost/redis/request.hpp>
#include <boost/redis/response.hpp>
#include <openssl/evp.h>

#include <charconv>

namespace maas::stm {
namespace {

namespace asio = boost::asio;
namespace redis = boost::redis;
using Connection = redis::basic_connection<Executor>;
constexpr std::chrono::milliseconds kReconnectPause{100};
constexpr std::chrono::milliseconds kHealthCheckInterval{1000};

asio::ssl::context tls_context(const RedisConnection::Options& options) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  if (!options.url.tls) return context;
  context.set_default_verify_paths();
  boost::system::error_code error;
  if (!options.ca_file.empty()) context.load_verify_file(options.ca_file, error);
  if (error) {
    throw Error(Errc::invalid_argument,
                "REDIS_CA_FILE " + options.ca_file +
                    " can't be read as PEM certificates: " + error.message());
  }
  context.set_verify_mode(asio::ssl::verify_peer);
  context.set_verify_callback(asio::ssl::host_name_verification(options.url.host));
  return context;
}

redis::config connection_config(const RedisConnection::Options& options) {
  redis::config config;
  config.use_ssl = options.url.tls;
  config.addr = {options.url.host, options.url.port};
  config.username =
      options.url.user.empty() && !options.url.password.empty() ? "default" : options.url.user;
  config.password = options.url.password;
  config.clientname = "maas";
  config.database_index = options.url.database;
  config.resolve_timeout = options.timeout;
  config.connect_timeout = options.timeout;
  config.ssl_handshake_timeout = options.timeout;
  config.health_check_interval = kHealthCheckInterval;
  // Reconnecting is done here: the library gives up when a connection attempt fails.
  config.reconnect_wait_interval = std::chrono::seconds::zero();
  return config;
}

// What Redis said, if it said no.
std::optional<std::string> refusal(const redis::generic_response& reply) {
  if (reply.has_error()) return reply.error().diagnostic;
  for (const auto& node : reply.value()) {
    if (node.data_type == redis::resp3::type::simple_error ||
        node.data_type == redis::resp3::type::blob_error) {
      return node.value;
    }
  }
  return std::nullopt;
}

std::uint16_t port_of(const RedisUrl& url) {
  constexpr std::string_view kUsual = "6379";
  std::uint16_t port = 0;
  if (url.port != kUsual) {
    std::from_chars(url.port.data(), url.port.data() + url.port.size(), port);
  }
  return port;
}

[[noreturn]] void throw_refusal(const std::string& text) {
  const std::string code = text.substr(0, text.find(' '));
  if (code == "WRONGTYPE") {
    throw trace::DatabaseError(
        code, Error(Errc::internal, "Internal Server Error",
                    "a key of this session holds something that MaaS did not write: " + text));
  }
  throw trace::DatabaseError(
      code, Error(Errc::unavailable,
                  code == "OOM" ? "Redis is full; nothing was stored" : "Redis refused the command",
                  text));
}

}  // namespace

RedisScript::RedisScript(std::string_view source) : source_(source) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(source.data(), source.size(), digest, &size, EVP_sha1(), nullptr) != 1) {
    throw Error(Errc::internal, "OpenSSL offers no SHA-1, which Redis needs to name scripts");
  }
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    sha1_ += kDigits[digest[i] >> 4];
    sha1_ += kDigits[digest[i] & 15];
  }
}

struct RedisConnection::State {
  // Boost.Redis reports each step of connecting here. Copied by it; refers to the state.
  struct Observer {
    State* state;

    void on_resolve(const boost::system::error_code& error, const auto&) {
      if (error) state->failed("cannot resolve " + state->options.url.host, error.message());
    }
    void on_connect(const boost::system::error_code& error, const auto&) {
      if (error) state->failed("cannot connect to " + state->address(), error.message());
    }
    void on_ssl_handshake(const boost::system::error_code& error) {
      if (error) state->failed("no TLS with " + state->address(), error.message());
    }
    void on_hello(const boost::system::error_code& error, const redis::generic_response& reply) {
      if (error)
        return state->failed("lost the connection to " + state->address(), error.message());
      if (const auto text = refusal(reply)) {
        return state->failed(state->address() + " refused the connection", *text);
      }
      state->connected();
    }
    void on_write(const boost::system::error_code&, const std::string&) {}
    void on_read(const boost::system::error_code&, std::size_t) {}
    void set_prefix(std::string_view) {}
    void trace(std::string_view) {}
    void trace(std::string_view, const boost::system::error_code&) {}
  };

  State(asio::io_context& io, const Options& given)
      : loop(io),
        options(given),
        database(std::to_string(given.url.database)),
        connection(make_connection()) {}

  std::shared_ptr<Connection> make_connection() const {
    return std::make_shared<Connection>(loop.get_executor(), tls_context(options));
  }

  trace::Statement statement(std::string_view command) const {
    return {.system = "redis",
            .operation = command,
            .space = database,
            .host = options.url.host,
            .port = unusual_port};
  }

  std::string address() const { return options.url.host + ":" + options.url.port; }

  void connected() {
    if (problem) log::info("connected to Redis again", {{"address", address()}});
    problem.reset();
    connecting = false;
  }

  void failed(const std::string& what, const std::string& why) {
    if (!problem) {
      log::error("Redis can't be used; requests are answered with 503 until it can",
                 {{"problem", what}, {"cause", why}});
    }
    problem = what + ": " + why;
    connecting = false;
  }

  Task<> stay_connected() {
    const redis::config config = connection_config(options);
    while (true) {
      if (options.url.tls) {
        SSL_set_tlsext_host_name(connection->next_layer().native_handle(),
                                 options.url.host.c_str());
      }
      const auto [error] =
          co_await connection->async_run(config, Observer{this}, asio::as_tuple(use_task));
      if (!problem) failed("lost the connection to " + address(), error.message());
      connection->cancel();
      // A new object each time: one whose greeting was refused can't greet again (Boost 1.88).
      bool renewed = false;
      while (!renewed) {
        co_await pause(kReconnectPause);
        renewed = renew();
      }
    }
  }

  // False if the certificates can't be read at this moment.
  bool renew() {
    try {
      connection = make_connection();
      return true;
    } catch (const Error& error) {
      failed("cannot prepare TLS", error.what());
      return false;
    }
  }

  Task<redis::generic_response> execute(const redis::request& request) {
    if (problem) throw Error(Errc::unavailable, "Redis can't be reached; try again", *problem);
    redis::generic_response reply;
    const std::shared_ptr<Connection> used = connection;
    const auto [error, size] = co_await used->async_exec(
        request, reply, asio::cancel_after(options.timeout, asio::as_tuple(use_task)));
    if (error == redis::error::not_connected) {
      throw Error(Errc::unavailable, "Redis can't be reached; try again", error.message());
    }
    // A refusal is part of the reply; what is left is a lost or silent connection.
    if (error && !reply.has_error()) {
      throw Error(Errc::unavailable,
                  connecting
                      ? "Redis can't be reached; try again"
                      : "Redis did not answer in time; whether a change was stored is unknown",
                  error.message());
    }
    co_return reply;
  }

  asio::io_context& loop;
  Options options;
  std::string database;
  std::uint16_t unusual_port = port_of(options.url);  // 0: it is the usual one
  std::shared_ptr<Connection> connection;             // shared with the commands that wait on it
  bool connecting = true;  // the first attempt has not ended; commands wait for it
  std::optional<std::string> problem;
};

RedisConnection::RedisConnection(asio::io_context& loop, const Options& options)
    : state_(std::make_unique<State>(loop, options)) {
  asio::co_spawn(loop, state_->stay_connected(), asio::detached);
}

RedisConnection::~RedisConnection() = default;

Task<std::vector<RedisValue>> RedisConnection::command(std::vector<std::string_view> arguments,
                                                       trace::Parent parent) {
  const trace::Statement statement = state_->statement(arguments.front());
  const auto tell = [lists = statement.operation == "ZRANGE"](trace::DatabaseCall& call,
                                                              const auto& values) {
    if (lists) call.returned(values.size());
  };
  return trace::observed(std::move(parent), statement, ask(std::move(arguments)), tell);
}

Task<std::vector<RedisValue>> RedisConnection::run(const RedisScript& script,
                                                   std::vector<std::string_view> keys,
                                                   std::vector<std::string_view> arguments,
                                                   trace::Parent parent) {
  return trace::observed(std::move(parent), state_->statement("EVALSHA"),
                         ask_script(script, std::move(keys), std::move(arguments)),
                         [](trace::DatabaseCall&, const auto&) {});
}

Task<std::vector<RedisValue>> RedisConnection::ask(std::vector<std::string_view> arguments) {
  const std::string_view name = arguments.front();
  arguments.erase(arguments.begin());
  redis::request request;
  if (arguments.empty()) {
    request.push(name);
  } else {
    request.push_range(name, arguments);
  }
  redis::generic_response reply = co_await state_->execute(request);
  if (const auto text = refusal(reply)) throw_refusal(*text);
  std::vector<RedisValue> values;
  values.reserve(reply.value().size());
  for (auto& node : reply.value()) {
    if (is_aggregate(node.data_type)) continue;
    if (node.data_type == redis::resp3::type::null) {
      values.emplace_back();
    } else {
      values.emplace_back(std::move(node.value));
    }
  }
  co_return values;
}

Task<std::vector<RedisValue>> RedisConnection::ask_script(const RedisScript& script,
                                                          std::vector<std::string_view> keys,
                                                          std::vector<std::string_view> arguments) {
  const std::string key_count = std::to_string(keys.size());
  std::vector<std::string_view> words{"EVALSHA", script.sha1(), key_count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  bool unknown = false;
  try {
    co_return co_await ask(words);
  } catch (const Error& error) {
    // Not executed, so that sending it again, with its text, is safe.
    unknown = error.detail().starts_with("NOSCRIPT");
    if (!unknown) throw;
  }
  words[0] = "EVAL";
  words[1] = script.source();
  co_return co_await ask(std::move(words));
}

const std::optional<std::string>& RedisConnection::problem() const { return state_->problem; }

}  // namespace maas::stm
