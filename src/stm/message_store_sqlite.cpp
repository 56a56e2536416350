#include "stm/message_store.hpp"
#include "trace/metrics.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <limits>

namespace maas::stm {

// A session's messages lie together in the table's own tree, in order, so that an append touches
// one page. When a session ends follows from its last message and `changed_at`, the last change of
// its settings; `sweep_at` is a time before which nobody needs to look.
const std::string_view kSqliteSchema = R"sql(
CREATE TABLE stm_sessions(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  session TEXT NOT NULL,
  strategy TEXT,
  max_messages INTEGER,
  max_tokens INTEGER,
  changed_at INTEGER NOT NULL,  -- µs since the epoch, as all times here
  sweep_at INTEGER NOT NULL,
  UNIQUE(tenant, session)
) STRICT;
CREATE INDEX stm_sessions_to_sweep ON stm_sessions(sweep_at);
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

// Reading up to this much takes less time than a change of threads is worth.
constexpr std::size_t kReadHereBytes = 128 * 1024;
constexpr std::size_t kRowBytes = 128;  // what a message takes beside its content and metadata
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
constexpr std::int64_t kSweptAtOnce = 1000;
constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

struct Row {
  std::int64_t id = 0;
  std::int64_t last_timestamp = 0;  // of its messages; 0: it has none
  std::int64_t changed_at = 0;
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

// The session's row, also of one that has expired.
std::optional<Row> find(Connection& connection, const SessionKey& key) {
  auto& query = connection.statement(
      "SELECT id, strategy, max_messages, max_tokens, changed_at,"
      " (SELECT max(timestamp) FROM stm_messages WHERE session_id = stm_sessions.id)"
      " FROM stm_sessions WHERE tenant = ? AND session = ?");
  query.bind(1, key.tenant);
  query.bind(2, key.session);
  if (!query.executeStep()) return std::nullopt;
  Row row{.id = query.getColumn(0).getInt64(),
          .last_timestamp = query.getColumn(5).getInt64(),
          .changed_at = query.getColumn(4).getInt64(),
          .settings = {}};
  if (!query.isColumnNull(1)) row.settings.strategy = strategy_from(text(query.getColumn(1)));
  row.settings.max_messages = integer(query.getColumn(2));
  row.settings.max_tokens = integer(query.getColumn(3));
  return row;
}

// The newest `limit` messages, oldest first; nullopt if they hold more than `max_bytes`.
std::optional<std::vector<Message>> newest_of(Connection& connection, std::int64_t session_id,
                                              std::int64_t limit, std::size_t max_bytes) {
  auto& query = connection.statement(
      "SELECT timestamp, id, role, content, metadata, token_count FROM stm_messages"
      " WHERE session_id = ? ORDER BY timestamp DESC LIMIT ?");
  query.bind(1, session_id);
  query.bind(2, limit);
  std::vector<Message> messages;
  std::size_t bytes = 0;
  while (query.executeStep()) {
    messages.push_back(
        {.id = text(query.getColumn(1)),
         .timestamp = Timestamp(std::chrono::microseconds(query.getColumn(0).getInt64())),
         .role = role_from(text(query.getColumn(2))).value_or(Role::user),
         .content = text(query.getColumn(3)),
         .metadata = text(query.getColumn(4)),
         .token_count = query.getColumn(5).getInt64()});
    bytes += kRowBytes + messages.back().content.size() + messages.back().metadata.size();
    if (bytes > max_bytes) return std::nullopt;
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

  Task<Appended> append(const SessionKey& key, std::span<const Message> messages) override {
    auto change = [this, &key, messages](Connection& connection) {
      const Row row = open(connection, key);
      const std::int64_t first = std::max(micros(clock_()), row.last_timestamp + 1);
      std::int64_t timestamp = first;
      for (const Message& message : messages) insert(connection, row.id, message, timestamp++);
      return Appended{.first = Timestamp(std::chrono::microseconds(first)),
                      .started = row.last_timestamp == 0};
    };
    co_return co_await database_.write(change);
  }

  Task<std::vector<Message>> newest(const SessionKey& key, std::size_t limit) override {
    SessionSnapshot snapshot = co_await read(key, [limit](const SessionSettings&) {
      return static_cast<std::int64_t>(std::min(limit, static_cast<std::size_t>(kAll)));
    });
    co_return std::move(snapshot.messages);
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
    const auto row =
        database_.read_here([&](Connection& connection) { return find_alive(connection, key); });
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
          "UPDATE stm_sessions SET strategy = ?, max_messages = ?, max_tokens = ?, changed_at = ?"
          " WHERE id = ?");
      if (settings.strategy) statement.bind(1, std::string(to_string(*settings.strategy)));
      if (settings.max_messages) statement.bind(2, *settings.max_messages);
      if (settings.max_tokens) statement.bind(3, *settings.max_tokens);
      statement.bind(4, micros(clock_()));
      statement.bind(5, row.id);
      statement.exec();
      return settings;
    };
    co_return co_await database_.write(apply);
  }

  Task<bool> summarize(const SessionKey& key, std::span<const Message> summarized,
                       const Message& summary) override {
    auto change = [this, &key, summarized, &summary](Connection& connection) {
      const auto row = find_alive(connection, key);
      if (!row || !are_oldest(connection, row->id, summarized)) return false;
      auto& statement =
          connection.statement("DELETE FROM stm_messages WHERE session_id = ? AND timestamp <= ?");
      statement.bind(1, row->id);
      statement.bind(2, micros(summarized.back().timestamp));
      statement.exec();
      insert(connection, row->id, summary, micros(summary.timestamp));
      return true;
    };
    co_return co_await database_.write(change);
  }

  Task<> forget(const SessionKey& key) override {
    auto change = [this, &key](Connection& connection) {
      const auto row = find_alive(connection, key);
      if (row) remove(connection, row->id);
      return true;
    };
    co_await database_.write(change);
  }

  Task<bool> sweep() override {
    if (!ttl_) co_return false;
    auto change = [this](Connection& connection) { return sweep_one(connection); };
    const Swept swept = co_await database_.write(change);
    if (swept == Swept::session) trace::metrics().expired.add(1, {"sessions"});
    co_return swept != Swept::nothing;
  }

 private:
  // What a sweep did; a part: there is more of the same session.
  enum class Swept { nothing, part, session };

  // When a session ends, in µs; at the end of time without a time to live.
  std::int64_t expiry(std::int64_t last_timestamp, std::int64_t changed_at) const {
    if (!ttl_) return kAll;
    return std::max(last_timestamp, changed_at) + std::chrono::microseconds(*ttl_).count();
  }

  bool alive(const Row& row) const {
    return expiry(row.last_timestamp, row.changed_at) > micros(clock_());
  }

  std::optional<Row> find_alive(Connection& connection, const SessionKey& key) const {
    auto row = find(connection, key);
    if (row && !alive(*row)) row.reset();
    return row;
  }

  // The session's row; one that is missing is made, one that has expired begins anew.
  Row open(Connection& connection, const SessionKey& key) const {
    if (const auto row = find(connection, key)) {
      if (alive(*row)) return *row;
      remove(connection, row->id);
    }
    const std::int64_t time = micros(clock_());
    auto& statement = connection.statement(
        "INSERT INTO stm_sessions(tenant, session, changed_at, sweep_at) VALUES(?, ?, ?, ?)"
        " RETURNING id");
    statement.bind(1, key.tenant);
    statement.bind(2, key.session);
    statement.bind(3, time);
    // Without a time to live nothing is swept; should one be set later, the sweep finds the
    // session.
    statement.bind(4, ttl_ ? expiry(time, time) : time);
    statement.executeStep();
    const std::int64_t id = statement.getColumn(0).getInt64();
    statement.reset();
    return {.id = id, .changed_at = time, .settings = {}};
  }

  // The session's settings and as many of its newest messages as `limit_of` says for them.
  template <class LimitOf>
  Task<SessionSnapshot> read(const SessionKey& key, LimitOf limit_of) {
    const auto look = [&](Connection& connection,
                          std::size_t max_bytes) -> std::optional<SessionSnapshot> {
      const auto row = find_alive(connection, key);
      if (!row) return SessionSnapshot{};
      auto messages = newest_of(connection, row->id, limit_of(row->settings), max_bytes);
      if (!messages) return std::nullopt;
      return SessionSnapshot{row->settings, *std::move(messages)};
    };
    auto here = database_.read_here(
        [&](Connection& connection) { return look(connection, kReadHereBytes); });
    if (here) co_return *std::move(here);
    auto elsewhere = [&look](Connection& connection) { return *look(connection, kUnlimited); };
    co_return co_await database_.read(elsewhere);
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

  // Looks at one session whose time to be looked at has come: puts that off if it lives, else
  // deletes some of its messages, or the session once it has none.
  Swept sweep_one(Connection& connection) const {
    auto& query = connection.statement(
        "SELECT id, changed_at,"
        " (SELECT max(timestamp) FROM stm_messages WHERE session_id = stm_sessions.id)"
        " FROM stm_sessions WHERE sweep_at <= ? ORDER BY sweep_at LIMIT 1");
    query.bind(1, micros(clock_()));
    if (!query.executeStep()) return Swept::nothing;
    const Row row{.id = query.getColumn(0).getInt64(),
                  .last_timestamp = query.getColumn(2).getInt64(),
                  .changed_at = query.getColumn(1).getInt64(),
                  .settings = {}};
    query.reset();
    if (alive(row)) {
      auto& later = connection.statement("UPDATE stm_sessions SET sweep_at = ? WHERE id = ?");
      later.bind(1, expiry(row.last_timestamp, row.changed_at));
      later.bind(2, row.id);
      later.exec();
      return Swept::part;
    }
    auto& statement = connection.statement(
        "DELETE FROM stm_messages WHERE session_id = ?1 AND timestamp IN"
        " (SELECT timestamp FROM stm_messages WHERE session_id = ?1 ORDER BY timestamp LIMIT ?2)");
    statement.bind(1, row.id);
    statement.bind(2, kSweptAtOnce);
    if (statement.exec() == kSweptAtOnce) return Swept::part;
    remove(connection, row.id);
    return Swept::session;
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
