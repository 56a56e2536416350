#include "stm/message_store.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <limits>

namespace maas::stm {

// A session's messages lie together in the table's own tree, in order. `bytes` is what they hold:
// it tells a read that is quick from one that is better done elsewhere.
const std::string_view kSqliteSchema = R"sql(
CREATE TABLE stm_sessions(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  session TEXT NOT NULL,
  strategy TEXT,
  max_messages INTEGER,
  max_tokens INTEGER,
  last_timestamp INTEGER NOT NULL DEFAULT 0,  -- µs since the epoch
  bytes INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,                         -- µs since the epoch; NULL: never
  sweep_at INTEGER,                           -- the same, rounded up; see kSweepGrain
  UNIQUE(tenant, session)
) STRICT;
CREATE INDEX stm_sessions_to_sweep ON stm_sessions(sweep_at) WHERE sweep_at IS NOT NULL;
CREATE TABLE stm_messages(
  session_id INTEGER NOT NULL REFERENCES stm_sessions(id),
  timestamp INTEGER NOT NULL,
  id TEXT NOT NULL,
  role TEXT NOT NULL,
  content TEXT NOT NULL,
  metadata TEXT NOT NULL,
  token_count INTEGER NOT NULL,
  PRIMARY KEY(session_id, timestamp)
) STRICT, WITHOUT ROWID;
)sql";

namespace {

using sqlite::Connection;

// Reads of sessions up to this size take less time than a change of threads is worth.
constexpr std::int64_t kReadHereBytes = 128 * 1024;
constexpr std::int64_t kSweptAtOnce = 1000;
// An index over the exact time of expiry would change with every append. The sweep goes by a time
// in steps of ten minutes, which most appends leave as it is; reads go by the exact one.
constexpr std::int64_t kSweepGrain = 600'000'000;  // µs
constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

// A session as its row has it, if it has not expired.
struct Row {
  std::int64_t id = 0;
  std::int64_t last_timestamp = 0;
  std::int64_t bytes = 0;
  std::int64_t sweep_at = 0;
  SessionSettings settings;
};

std::optional<std::int64_t> integer(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getInt64();
}

std::string text(const SQLite::Column& column) {
  const auto* bytes = static_cast<const char*>(column.getBlob());
  return bytes ? std::string(bytes, static_cast<std::size_t>(column.getBytes())) : std::string();
}

std::int64_t stored_bytes(const Message& message) {
  return static_cast<std::int64_t>(message.content.size() + message.metadata.size());
}

std::optional<Row> find(Connection& connection, const SessionKey& key, Timestamp now) {
  auto& query = connection.statement(
      "SELECT id, last_timestamp, bytes, strategy, max_messages, max_tokens, sweep_at"
      " FROM stm_sessions"
      " WHERE tenant = ? AND session = ? AND (expires_at IS NULL OR expires_at > ?)");
  query.bind(1, key.tenant);
  query.bind(2, key.session);
  query.bind(3, micros(now));
  if (!query.executeStep()) return std::nullopt;
  Row row{.id = query.getColumn(0).getInt64(),
          .last_timestamp = query.getColumn(1).getInt64(),
          .bytes = query.getColumn(2).getInt64(),
          .sweep_at = query.getColumn(6).getInt64(),
          .settings = {}};
  if (!query.isColumnNull(3)) row.settings.strategy = strategy_from(text(query.getColumn(3)));
  row.settings.max_messages = integer(query.getColumn(4));
  row.settings.max_tokens = integer(query.getColumn(5));
  return row;
}

std::vector<Message> newest_of(Connection& connection, std::int64_t session_id,
                               std::int64_t limit) {
  auto& query = connection.statement(
      "SELECT timestamp, id, role, content, metadata, token_count FROM stm_messages"
      " WHERE session_id = ? ORDER BY timestamp DESC LIMIT ?");
  query.bind(1, session_id);
  query.bind(2, limit);
  std::vector<Message> messages;
  while (query.executeStep()) {
    messages.push_back(
        {.id = text(query.getColumn(1)),
         .timestamp = Timestamp(std::chrono::microseconds(query.getColumn(0).getInt64())),
         .role = role_from(text(query.getColumn(2))).value_or(Role::user),
         .content = text(query.getColumn(3)),
         .metadata = text(query.getColumn(4)),
         .token_count = query.getColumn(5).getInt64()});
  }
  std::ranges::reverse(messages);
  return messages;
}

void insert(Connection& connection, std::int64_t session_id, const Message& message,
            std::int64_t timestamp) {
  auto& statement = connection.statement(
      "INSERT INTO stm_messages(session_id, timestamp, id, role, content, metadata, token_count)"
      " VALUES(?, ?, ?, ?, ?, ?, ?)");
  statement.bind(1, session_id);
  statement.bind(2, timestamp);
  statement.bind(3, message.id);
  statement.bind(4, std::string(to_string(message.role)));
  statement.bind(5, message.content);
  statement.bind(6, message.metadata);
  statement.bind(7, message.token_count);
  statement.exec();
}

void remove(Connection& connection, std::int64_t session_id) {
  for (const std::string_view sql :
       {"DELETE FROM stm_messages WHERE session_id = ?", "DELETE FROM stm_sessions WHERE id = ?"}) {
    auto& statement = connection.statement(sql);
    statement.bind(1, session_id);
    statement.exec();
  }
}

class SqliteMessageStore final : public MessageStore {
 public:
  SqliteMessageStore(sqlite::Database& database, TimeToLive ttl, std::function<Timestamp()> clock)
      : database_(database), ttl_(ttl), clock_(std::move(clock)) {}

  std::string_view engine() const override { return "sqlite"; }

  Task<std::optional<std::string>> problem() override {
    std::optional<std::string> found;
    try {
      auto look = [](Connection& connection) {
        return connection.statement("SELECT 1 FROM stm_sessions LIMIT 1").executeStep();
      };
      co_await database_.read(look);
    } catch (const std::exception& error) {
      found = error.what();
    }
    co_return found;
  }

  Task<Timestamp> append(const SessionKey& key, std::span<const Message> messages) override {
    auto change = [this, &key, messages](Connection& connection) {
      const Row row = open(connection, key);
      const std::int64_t first = std::max(micros(clock_()), row.last_timestamp + 1);
      std::int64_t timestamp = first;
      std::int64_t bytes = row.bytes;
      for (const Message& message : messages) {
        insert(connection, row.id, message, timestamp++);
        bytes += stored_bytes(message);
      }
      auto& statement = connection.statement(
          "UPDATE stm_sessions SET last_timestamp = ?, bytes = ? WHERE id = ?");
      statement.bind(1, timestamp - 1);
      statement.bind(2, bytes);
      statement.bind(3, row.id);
      statement.exec();
      prolong(connection, row);
      return Timestamp(std::chrono::microseconds(first));
    };
    co_return co_await database_.write(change);
  }

  Task<std::vector<Message>> newest(const SessionKey& key, std::size_t limit) override {
    co_return (co_await read(key, [limit](const SessionSettings&) {
      return static_cast<std::int64_t>(std::min(limit, static_cast<std::size_t>(kAll)));
    })).messages;
  }

  Task<SessionSnapshot> snapshot(const SessionKey& key, const ContextSettings& defaults,
                                 const ContextOverrides& overrides) override {
    co_return co_await read(key, [&](const SessionSettings& own) {
      const ContextSettings settings = own.over(defaults);
      return settings.strategy == Strategy::sliding_window
                 ? overrides.max_messages.value_or(settings.max_messages)
                 : kAll;
    });
  }

  Task<SessionSettings> settings(const SessionKey& key) override {
    const auto row = database_.read_here(
        [&](Connection& connection) { return find(connection, key, clock_()); });
    co_return row ? row->settings : SessionSettings{};
  }

  Task<SessionSettings> change_settings(const SessionKey& key,
                                        const SettingsChange& change) override {
    auto apply = [this, &key, &change](Connection& connection) {
      const Row row = open(connection, key);
      SessionSettings settings = row.settings;
      if (change.strategy) settings.strategy = *change.strategy;
      if (change.max_messages) settings.max_messages = *change.max_messages;
      if (change.max_tokens) settings.max_tokens = *change.max_tokens;
      auto& statement = connection.statement(
          "UPDATE stm_sessions SET strategy = ?, max_messages = ?, max_tokens = ? WHERE id = ?");
      if (settings.strategy) statement.bind(1, std::string(to_string(*settings.strategy)));
      if (settings.max_messages) statement.bind(2, *settings.max_messages);
      if (settings.max_tokens) statement.bind(3, *settings.max_tokens);
      statement.bind(4, row.id);
      statement.exec();
      prolong(connection, row);
      return settings;
    };
    co_return co_await database_.write(apply);
  }

  Task<bool> summarize(const SessionKey& key, std::span<const Message> summarized,
                       const Message& summary) override {
    auto change = [this, &key, summarized, &summary](Connection& connection) {
      const auto row = find(connection, key, clock_());
      if (!row || !are_oldest(connection, row->id, summarized)) return false;
      auto& statement =
          connection.statement("DELETE FROM stm_messages WHERE session_id = ? AND timestamp <= ?");
      statement.bind(1, row->id);
      statement.bind(2, micros(summarized.back().timestamp));
      statement.exec();
      insert(connection, row->id, summary, micros(summary.timestamp));
      std::int64_t bytes = row->bytes + stored_bytes(summary);
      for (const Message& message : summarized) bytes -= stored_bytes(message);
      auto& update = connection.statement("UPDATE stm_sessions SET bytes = ? WHERE id = ?");
      update.bind(1, bytes);
      update.bind(2, row->id);
      update.exec();
      return true;
    };
    co_return co_await database_.write(change);
  }

  Task<> forget(const SessionKey& key) override {
    auto change = [this, &key](Connection& connection) {
      const auto row = find(connection, key, clock_());
      if (row) remove(connection, row->id);
      return true;
    };
    co_await database_.write(change);
  }

  Task<bool> sweep() override {
    auto change = [this](Connection& connection) { return sweep_one(connection); };
    co_return co_await database_.write(change);
  }

 private:
  // The session's row; one that is missing is made, one that has expired begins anew.
  Row open(Connection& connection, const SessionKey& key) {
    if (auto row = find(connection, key, clock_())) return *row;
    auto& expired =
        connection.statement("SELECT id FROM stm_sessions WHERE tenant = ? AND session = ?");
    expired.bind(1, key.tenant);
    expired.bind(2, key.session);
    if (expired.executeStep()) {
      const std::int64_t id = expired.getColumn(0).getInt64();
      expired.reset();
      remove(connection, id);
    }
    auto& statement =
        connection.statement("INSERT INTO stm_sessions(tenant, session) VALUES(?, ?) RETURNING id");
    statement.bind(1, key.tenant);
    statement.bind(2, key.session);
    statement.executeStep();
    const std::int64_t id = statement.getColumn(0).getInt64();
    statement.reset();
    return {.id = id, .settings = {}};
  }

  // Restarts the session's time to live.
  void prolong(Connection& connection, const Row& row) const {
    if (!ttl_) return;
    const std::int64_t expires_at = micros(clock_() + *ttl_);
    const std::int64_t sweep_at = (expires_at / kSweepGrain + 1) * kSweepGrain;
    auto& statement = connection.statement(
        sweep_at == row.sweep_at
            ? std::string_view("UPDATE stm_sessions SET expires_at = ?1 WHERE id = ?2")
            : std::string_view(
                  "UPDATE stm_sessions SET expires_at = ?1, sweep_at = ?3 WHERE id = ?2"));
    statement.bind(1, expires_at);
    statement.bind(2, row.id);
    if (sweep_at != row.sweep_at) statement.bind(3, sweep_at);
    statement.exec();
  }

  // The session's settings and as many of its newest messages as `limit_of` says for them.
  template <class LimitOf>
  Task<SessionSnapshot> read(const SessionKey& key, LimitOf limit_of) {
    std::optional<SessionSnapshot> snapshot;
    const auto small = [&](Connection& connection) {
      const auto row = find(connection, key, clock_());
      if (!row) {
        snapshot.emplace();
      } else if (row->bytes <= kReadHereBytes) {
        snapshot = {row->settings, newest_of(connection, row->id, limit_of(row->settings))};
      }
    };
    database_.read_here(small);
    if (snapshot) co_return *std::move(snapshot);

    auto large = [&](Connection& connection) {
      const auto row = find(connection, key, clock_());
      if (!row) return SessionSnapshot{};
      return SessionSnapshot{row->settings,
                             newest_of(connection, row->id, limit_of(row->settings))};
    };
    co_return co_await database_.read(large);
  }

  static bool are_oldest(Connection& connection, std::int64_t session_id,
                         std::span<const Message> messages) {
    auto& query = connection.statement(
        "SELECT id FROM stm_messages WHERE session_id = ? ORDER BY timestamp LIMIT ?");
    query.bind(1, session_id);
    query.bind(2, static_cast<std::int64_t>(messages.size()));
    for (const Message& message : messages) {
      if (!query.executeStep() || text(query.getColumn(0)) != message.id) return false;
    }
    query.reset();
    return true;
  }

  // Deletes some messages of one expired session, or the session once it has none.
  bool sweep_one(Connection& connection) {
    auto& query = connection.statement("SELECT id FROM stm_sessions WHERE sweep_at <= ? LIMIT 1");
    query.bind(1, micros(clock_()));
    if (!query.executeStep()) return false;
    const std::int64_t id = query.getColumn(0).getInt64();
    query.reset();
    auto& statement = connection.statement(
        "DELETE FROM stm_messages WHERE session_id = ?1 AND timestamp IN"
        " (SELECT timestamp FROM stm_messages WHERE session_id = ?1 LIMIT ?2)");
    statement.bind(1, id);
    statement.bind(2, kSweptAtOnce);
    if (statement.exec() < kSweptAtOnce) remove(connection, id);
    return true;
  }

  sqlite::Database& database_;
  TimeToLive ttl_;
  std::function<Timestamp()> clock_;
};

}  // namespace

std::unique_ptr<MessageStore> make_sqlite_message_store(sqlite::Database& database, TimeToLive ttl,
                                                        std::function<Timestamp()> clock) {
  return std::make_unique<SqliteMessageStore>(database, ttl, std::move(clock));
}

}  // namespace maas::stm
