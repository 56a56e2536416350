#include "core/error.hpp"
#include "core/log.hpp"
#include "core/timer.hpp"
#include "http/url.hpp"
#include "stm/message_store.hpp"
#include "stm/redis_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

// Keys: maas:{<tenant>/<session>}:messages, a sorted set; its scores are µs since the epoch.
//       maas:{<tenant>/<session>}:settings, a hash.
// Tenant and session are percent-encoded, so that neither '/' nor the braces can be forged, and the
// braces make a session's keys share a cluster slot.

namespace maas::stm {
namespace {

constexpr std::size_t kIdBytes = 36;

// A member: "<id> <timestamp> <role> <token count> <bytes of metadata> <metadata><content>". The id
// makes it unique; the script puts the timestamp in.
std::string member_without_time(const Message& message) {
  std::string member;
  member.reserve(kIdBytes + 48 + message.metadata.size() + message.content.size());
  member += message.id;
  member += ' ';
  member += to_string(message.role);
  member += ' ';
  member += std::to_string(message.token_count);
  member += ' ';
  member += std::to_string(message.metadata.size());
  member += ' ';
  member += message.metadata;
  member += message.content;
  return member;
}

class MemberReader {
 public:
  explicit MemberReader(std::string_view member) : rest_(member) {}

  std::string_view word() {
    const std::size_t end = rest_.find(' ');
    if (end == rest_.npos) fail();
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return found;
  }

  std::int64_t number() {
    const std::string_view digits = word();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) fail();
    return value;
  }

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) fail();
    const std::string_view found = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return found;
  }

  std::string_view rest() const { return rest_; }

  [[noreturn]] static void fail() {
    throw Error(Errc::internal, "Internal Server Error",
                "a session in Redis holds a member that MaaS did not write");
  }

 private:
  std::string_view rest_;
};

Message parse_member(std::string_view member) {
  MemberReader reader(member);
  Message message;
  message.id = reader.word();
  message.timestamp = Timestamp(std::chrono::microseconds(reader.number()));
  const auto role = role_from(reader.word());
  if (!role) MemberReader::fail();
  message.role = *role;
  message.token_count = reader.number();
  message.metadata = reader.bytes(static_cast<std::size_t>(reader.number()));
  message.content = reader.rest();
  return message;
}

// KEYS messages, settings. ARGV[1]: seconds to live, '' for ever; then members without their time.
// Returns the first message's time, and 1 if the session is new. Redis' clock serves all replicas;
// TIME is read, then written.
const RedisScript kAppend(R"lua(
local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] and tonumber(last[2]) >= at then at = tonumber(last[2]) + 1 end
for i = 2, #ARGV do
  local score = string.format('%.0f', at + i - 2)
  redis.call('ZADD', KEYS[1], score,
             string.sub(ARGV[i], 1, 36) .. ' ' .. score .. string.sub(ARGV[i], 37))
end
for _, key in ipairs(KEYS) do
  if ARGV[1] == '' then redis.call('PERSIST', key) else redis.call('EXPIRE', key, ARGV[1]) end
end
return {string.format('%.0f', at), last[2] and '0' or '1'}
)lua");

// KEYS messages, settings. ARGV: default strategy, default max_messages, max_messages of this call
// ('' if none). Returns strategy, max_messages, max_tokens, then the messages.
const RedisScript kSnapshot(R"lua(
local own = redis.call('HMGET', KEYS[2], 'strategy', 'max_messages', 'max_tokens')
local first = 0
if (own[1] or ARGV[1]) == 'sliding_window' then
  first = '-' .. (ARGV[3] ~= '' and ARGV[3] or own[2] or ARGV[2])
end
return {own, redis.call('ZRANGE', KEYS[1], first, -1)}
)lua");

// KEYS messages, settings. ARGV[1]: seconds to live; then strategy, max_messages, max_tokens, each
// '=' to keep it, '' to remove it. Returns the settings.
const RedisScript kConfigure(R"lua(
for i, field in ipairs({'strategy', 'max_messages', 'max_tokens'}) do
  local value = ARGV[i + 1]
  if value == '' then redis.call('HDEL', KEYS[2], field)
  elseif value ~= '=' then redis.call('HSET', KEYS[2], field, value) end
end
for _, key in ipairs(KEYS) do
  if ARGV[1] == '' then redis.call('PERSIST', key) else redis.call('EXPIRE', key, ARGV[1]) end
end
return redis.call('HMGET', KEYS[2], 'strategy', 'max_messages', 'max_tokens')
)lua");

// KEYS messages. ARGV: how many are replaced, the ids of their first and last, the summary's member
// and score. Messages only come at the end and only go from the beginning, so that both ends prove
// the whole. Returns 1 if the summary was put in.
const RedisScript kSummarize(R"lua(
local function id_at(rank)
  local member = redis.call('ZRANGE', KEYS[1], rank, rank)[1]
  return member and string.sub(member, 1, 36)
end
if id_at(0) ~= ARGV[2] or id_at(ARGV[1] - 1) ~= ARGV[3] then return 0 end
local lifetime = redis.call('PTTL', KEYS[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, ARGV[1] - 1)
redis.call('ZADD', KEYS[1], ARGV[5], ARGV[4])
if lifetime > 0 then redis.call('PEXPIRE', KEYS[1], lifetime) end
return 1
)lua");

struct Keys {
  std::string messages;
  std::string settings;

  explicit Keys(const SessionKey& key) {
    const std::string tag =
        "maas:{" + http::percent_encode(key.tenant) + "/" + http::percent_encode(key.session) + "}";
    messages = tag + ":messages";
    settings = tag + ":settings";
  }
};

std::optional<std::int64_t> integer(const RedisValue& value) {
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc{} || end != value->data() + value->size()) return std::nullopt;
  return number;
}

SessionSettings settings_from(const std::vector<RedisValue>& values) {
  SessionSettings settings;
  if (values.at(0)) settings.strategy = strategy_from(*values[0]);
  settings.max_messages = integer(values.at(1));
  settings.max_tokens = integer(values.at(2));
  return settings;
}

std::string change_argument(const std::optional<std::optional<std::int64_t>>& change) {
  if (!change) return "=";
  return *change ? std::to_string(**change) : "";
}

class RedisMessageStore final : public MessageStore {
 public:
  RedisMessageStore(const RedisConfig& config, EventLoops& loops, TimeToLive ttl)
      : loops_(loops), lifetime_(ttl ? std::to_string(ttl->count()) : "") {
    const RedisConnection::Options options{parse_redis_url(config.url), config.ca_file,
                                           config.timeout};
    for (std::size_t i = 0; i < loops.size(); ++i) {
      connections_.push_back(std::make_unique<RedisConnection>(loops[i], options));
    }
    boost::asio::co_spawn(loops[0], warn_of_losses(*connections_[0]), boost::asio::detached);
  }

  std::string_view engine() const override { return "redis"; }

  Task<std::optional<std::string>> problem() override {
    RedisConnection& redis = co_await connection();
    std::optional<std::string> found;
    try {
      co_await redis.command(words("PING"));
    } catch (const Error& error) {
      found = error.detail().empty() ? error.what() : error.detail();
    }
    co_return found;
  }

  Task<Appended> append(const SessionKey& session, std::span<const Message> messages) override {
    const Keys keys(session);
    std::vector<std::string> members;
    members.reserve(messages.size());
    for (const Message& message : messages) members.push_back(member_without_time(message));
    std::vector<std::string_view> arguments{lifetime_};
    arguments.insert(arguments.end(), members.begin(), members.end());
    RedisConnection& redis = co_await connection();
    const auto reply = co_await redis.run(kAppend, words(keys.messages, keys.settings),
                                          std::move(arguments), session.parent);
    co_return Appended{
        .first = Timestamp(std::chrono::microseconds(integer(reply.at(0)).value_or(0))),
        .started = reply.at(1) == "1"};
  }

  Task<std::vector<Message>> newest(const SessionKey& session, std::size_t limit) override {
    const Keys keys(session);
    constexpr auto kLargest = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    const std::string first = limit == 0 ? "1" : "-" + std::to_string(std::min(limit, kLargest));
    RedisConnection& redis = co_await connection();
    const auto reply = co_await redis.command(
        words("ZRANGE", keys.messages, first, limit == 0 ? "0" : "-1"), session.parent);
    co_return messages_from(reply);
  }

  Task<SessionSnapshot> snapshot(const SessionKey& session, const ContextSettings& defaults,
                                 const ContextOverrides& overrides) override {
    const Keys keys(session);
    const std::string max_messages = std::to_string(defaults.max_messages);
    const std::string of_this_call =
        overrides.max_messages ? std::to_string(*overrides.max_messages) : "";
    RedisConnection& redis = co_await connection();
    const auto reply = co_await redis.run(
        kSnapshot, words(keys.messages, keys.settings),
        words(to_string(defaults.strategy), max_messages, of_this_call), session.parent);
    co_return SessionSnapshot{settings_from(reply), messages_from(std::span(reply).subspan(3))};
  }

  Task<SessionSettings> settings(const SessionKey& session) override {
    const Keys keys(session);
    RedisConnection& redis = co_await connection();
    co_return settings_from(co_await redis.command(
        words("HMGET", keys.settings, "strategy", "max_messages", "max_tokens"), session.parent));
  }

  Task<SessionSettings> change_settings(const SessionKey& session,
                                        const SettingsChange& change) override {
    const Keys keys(session);
    std::string_view strategy = "=";
    if (change.strategy) strategy = *change.strategy ? to_string(**change.strategy) : "";
    const std::string max_messages = change_argument(change.max_messages);
    const std::string max_tokens = change_argument(change.max_tokens);
    RedisConnection& redis = co_await connection();
    co_return settings_from(co_await redis.run(kConfigure, words(keys.messages, keys.settings),
                                               words(lifetime_, strategy, max_messages, max_tokens),
                                               session.parent));
  }

  Task<bool> summarize(const SessionKey& session, std::span<const Message> summarized,
                       const Message& summary) override {
    const Keys keys(session);
    const std::string count = std::to_string(summarized.size());
    const std::string score = std::to_string(summary.timestamp.time_since_epoch().count());
    const std::string member = member_without_time(summary).insert(kIdBytes, " " + score);
    RedisConnection& redis = co_await connection();
    const auto reply = co_await redis.run(
        kSummarize, words(keys.messages),
        words(count, summarized.front().id, summarized.back().id, member, score), session.parent);
    co_return reply.at(0) == "1";
  }

  Task<> forget(const SessionKey& session) override {
    const Keys keys(session);
    RedisConnection& redis = co_await connection();
    co_await redis.command(words("UNLINK", keys.messages, keys.settings), session.parent);
  }

  // Redis expires keys itself.
  Task<bool> sweep() override { co_return false; }

 private:
  Task<std::reference_wrapper<RedisConnection>> connection() {
    const Executor executor = co_await boost::asio::this_coro::executor;
    co_return *connections_[loops_.index_of(executor)];
  }

  static std::vector<Message> messages_from(std::span<const RedisValue> values) {
    std::vector<Message> messages;
    messages.reserve(values.size());
    for (const RedisValue& value : values) messages.push_back(parse_member(value.value_or("")));
    return messages;
  }

  // Redis may be set up to lose what it has acknowledged; whoever runs it should know, once it
  // answers.
  static Task<> warn_of_losses(RedisConnection& redis) {
    constexpr std::chrono::seconds kPause{1};
    bool asked = false;
    while (!asked) {
      try {
        co_await look_for_losses(redis);
        asked = true;
      } catch (const Error& error) {
        asked = !redis.problem();  // it answers, but does not tell
        if (asked) {
          log::debug("Redis does not tell its eviction and persistence settings",
                     {{"detail", error.detail()}});
        }
      }
      co_await pause(kPause);
    }
  }

  static Task<> look_for_losses(RedisConnection& redis) {
    const auto policy = co_await redis.command(words("CONFIG", "GET", "maxmemory-policy"));
    if (policy.size() == 2 && policy[1] != "noeviction") {
      log::warn("Redis may evict sessions when its memory is full; set maxmemory-policy noeviction",
                {{"maxmemory_policy", policy[1].value_or("")}});
    }
    const auto saves = co_await redis.command(words("CONFIG", "GET", "save"));
    const auto journal = co_await redis.command(words("CONFIG", "GET", "appendonly"));
    if (saves.size() == 2 && saves[1] == "" && journal.size() == 2 && journal[1] == "no") {
      log::warn("Redis keeps nothing over its restart: persistence is off; set appendonly yes");
    }
  }

  EventLoops& loops_;
  std::string lifetime_;                                       // seconds; empty: for ever
  std::vector<std::unique_ptr<RedisConnection>> connections_;  // one per event loop
};

}  // namespace

std::unique_ptr<MessageStore> make_redis_message_store(const RedisConfig& config, EventLoops& loops,
                                                       TimeToLive ttl) {
  return std::make_unique<RedisMessageStore>(config, loops, ttl);
}

}  // namespace maas::stm
