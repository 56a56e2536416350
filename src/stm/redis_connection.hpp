#pragma once

#include "core/task.hpp"
#include "stm/redis_url.hpp"
#include "trace/database_call.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::stm {

// One value of a reply, nested arrays laid flat in order; nullopt: a null.
using RedisValue = std::optional<std::string>;

// The words of a command. A function, because g++ 12 miscompiles braced lists beside co_await.
template <class... Texts>
std::vector<std::string_view> words(const Texts&... texts) {
  return {std::string_view(texts)...};
}

// A Lua script that the server may have cached.
class RedisScript {
 public:
  explicit RedisScript(std::string_view source);
  std::string_view source() const { return source_; }
  const std::string& sha1() const { return sha1_; }

 private:
  std::string_view source_;  // a literal
  std::string sha1_;
};

// One connection to Redis on one event loop, to be used on that loop alone. It connects in the
// background and again whenever it is lost; meanwhile commands fail at once. A command is never
// sent twice. Commands throw Error{unavailable} when Redis can't be reached, takes too long or
// refuses.
class RedisConnection {
 public:
  struct Options {
    RedisUrl url;
    std::string ca_file;
    std::chrono::milliseconds timeout;
  };

  RedisConnection(boost::asio::io_context& loop, const Options& options);
  ~RedisConnection();

  // The values of a reply. `arguments` begins with the command.
  Task<std::vector<RedisValue>> command(std::vector<std::string_view> arguments,
                                        trace::Parent parent = {});

  Task<std::vector<RedisValue>> run(const RedisScript& script, std::vector<std::string_view> keys,
                                    std::vector<std::string_view> arguments,
                                    trace::Parent parent = {});

  // Why Redis can't be used; nullopt while connected.
  const std::optional<std::string>& problem() const;

 private:
  struct State;
  Task<std::vector<RedisValue>> ask(std::vector<std::string_view> arguments);
  Task<std::vector<RedisValue>> ask_script(const RedisScript& script,
                                           std::vector<std::string_view> keys,
                                           std::vector<std::string_view> arguments);

  std::unique_ptr<State> state_;
};

}  // namespace maas::stm
