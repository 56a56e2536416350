#pragma once

#include "core/event_loops.hpp"
#include "core/message.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "sqlite/database.hpp"
#include "stm/session.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::stm {

struct Appended {
  Timestamp first{};     // of the first message; each further one is 1 µs later
  bool started = false;  // the session held no message before
};

// Keeps the ordered messages and the settings of sessions, both until the session's time to live
// ends; it restarts with every append and every change of settings.
// Thread-safe. Functions throw Error{unavailable} when the engine can't be reached; nothing has
// been changed then, unless the text of the error says that it is unknown.
class MessageStore {
 public:
  virtual ~MessageStore() = default;

  // "sqlite" or "redis".
  virtual std::string_view engine() const = 0;

  // Why the engine can't serve at this moment; nullopt if it can. Does not throw.
  virtual Task<std::optional<std::string>> problem() = 0;

  // Appends in the given order, after all that the session holds; creates the session. The engine
  // gives the timestamps: its time, but always later than the session's last message. Must not be
  // empty.
  virtual Task<Appended> append(const SessionKey& session, std::span<const Message> messages) = 0;

  // The newest `limit` messages, oldest first. Empty for a session that does not exist.
  virtual Task<std::vector<Message>> newest(const SessionKey& session, std::size_t limit) = 0;

  // What a context is made from, in one round trip: the newest `max_messages` for a sliding window,
  // all messages for a token threshold. What counts is the override, else the session's own
  // setting, else the default.
  virtual Task<SessionSnapshot> snapshot(const SessionKey& session, const ContextSettings& defaults,
                                         const ContextOverrides& overrides) = 0;

  virtual Task<SessionSettings> settings(const SessionKey& session) = 0;

  // The session's own settings after the change; creates the session.
  virtual Task<SessionSettings> change_settings(const SessionKey& session,
                                                const SettingsChange& change) = 0;

  // Puts `summary` where the messages `summarized` stood, if they are still the session's oldest.
  // False, and nothing changed, if they are not: someone else was faster. Leaves the time to live.
  virtual Task<bool> summarize(const SessionKey& session, std::span<const Message> summarized,
                               const Message& summary) = 0;

  // Removes messages and settings; nothing happens for a session that does not exist.
  virtual Task<> forget(const SessionKey& session) = 0;

  // Deletes a bounded part of what has expired. True if there may be more.
  virtual Task<bool> sweep() = 0;
};

// A session's time to live; nullopt: for ever.
using TimeToLive = std::optional<std::chrono::seconds>;

// The statements that create this store's tables, for the database's migrations.
extern const std::string_view kSqliteSchema;

// Borrows the database. `clock` gives the engine's time.
std::unique_ptr<MessageStore> make_sqlite_message_store(sqlite::Database& database, TimeToLive ttl,
                                                        std::function<Timestamp()> clock = now);

struct RedisConfig {
  std::string url;      // redis://[user][:password]@host[:port][/database], rediss:// for TLS
  std::string ca_file;  // certificates to trust beside the system's; empty: only these
  std::chrono::milliseconds timeout{500};  // for one command, and for connecting
};

// Begins to connect on every event loop and goes on doing so for as long as it lives. Throws
// Error{invalid_argument} for a URL that is malformed or asks for what is not supported.
// It must be destroyed only after the loops have ended.
std::unique_ptr<MessageStore> make_redis_message_store(const RedisConfig& config, EventLoops& loops,
                                                       TimeToLive ttl);

}  // namespace maas::stm
