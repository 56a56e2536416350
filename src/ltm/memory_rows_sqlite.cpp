#include "ltm/memory_rows_sqlite.hpp"

#include "core/ids.hpp"
#include "ltm/memory_columns_sqlite.hpp"
#include "ltm/metadata.hpp"
#include "ltm/same_text.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace maas::ltm {

namespace {

static_assert(std::endian::native == std::endian::little, "vectors are stored as they are");

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

const std::string kColumns(kMemoryColumns);
constexpr int kModelColumn = kBehindMemory;
constexpr int kVectorColumn = kBehindMemory + 1;
constexpr int kWantedColumn = kBehindMemory;

// With the parameters of ByScope.
const std::string kInScope =
    "(?2 IS NULL OR user_id = ?2) AND (?3 IS NULL OR agent_id = ?3)"
    " AND (?4 IS NULL OR session_id = ?4)";
const std::string kVisible = "(expires_at IS NULL OR expires_at > ?5)";

llm::Vector vector_of(const SQLite::Statement& row, const VectorSpace& space) {
  llm::Vector vector;
  const SQLite::Column blob = row.getColumn(kVectorColumn);
  const std::size_t bytes = space.dims * sizeof(float);
  if (blob.isNull() || static_cast<std::size_t>(blob.getBytes()) != bytes) return vector;
  if (text(row.getColumn(kModelColumn)) != space.model) return vector;
  vector.resize(space.dims);
  std::memcpy(vector.data(), blob.getBlob(), bytes);
  return vector;
}

std::vector<Memory> memories_of(SQLite::Statement& rows) {
  std::vector<Memory> memories;
  while (rows.executeStep()) memories.push_back(memory_of(rows));
  return memories;
}

// Statements about the memories that have the narrowest of the ids that a scope gives; the index of
// that one finds them in the order in which they were created. Which of them are in the scope,
// kInScope tells.
class ByScope {
 public:
  // The parameters ?1 to ?4 are the scope; there are others.
  ByScope(const std::string& begin, const std::string& end)
      : session_(begin + " WHERE tenant = ?1 AND session_id = ?4 " + end),
        user_(begin + " WHERE tenant = ?1 AND user_id = ?2 " + end),
        agent_(begin + " WHERE tenant = ?1 AND agent_id = ?3 " + end) {}

  SQLite::Statement& statement(sqlite::Connection& connection, const std::string& tenant,
                               const Scope& scope) const {
    auto& statement = connection.statement(!scope.session_id.empty() ? session_
                                           : !scope.user_id.empty()  ? user_
                                                                     : agent_);
    statement.bind(1, tenant);
    if (!scope.user_id.empty()) statement.bind(2, scope.user_id);
    if (!scope.agent_id.empty()) statement.bind(3, scope.agent_id);
    if (!scope.session_id.empty()) statement.bind(4, scope.session_id);
    return statement;
  }

 private:
  std::string session_;
  std::string user_;
  std::string agent_;
};

// Binds what an update may change, from `first` on; `memory` and `digest` outlive the execution.
void bind_content(SQLite::Statement& statement, int first, const Memory& memory,
                  const std::string& digest) {
  statement.bind(first, std::string(to_string(memory.category)));
  statement.bind(first + 1, memory.speaker);
  statement.bind(first + 2, micros(memory.created_at));
  statement.bind(first + 3, micros(memory.updated_at));
  if (memory.expires_at) statement.bind(first + 4, micros(*memory.expires_at));
  statement.bind(first + 5, memory.version);
  statement.bindNoCopy(first + 6, digest.data(), static_cast<int>(digest.size()));
  statement.bindNoCopy(first + 7, memory.text);
  statement.bindNoCopy(first + 8, memory.metadata);
}

void bind_vector(SQLite::Statement& statement, int first, const llm::Vector& vector,
                 const VectorSpace& space) {
  if (vector.empty() || space.model.empty()) return;
  statement.bind(first, space.model);
  statement.bindNoCopy(first + 1, vector.data(), static_cast<int>(vector.size() * sizeof(float)));
}

}  // namespace

void MemoryRows::insert(Memory& memory, const std::string& digest, const llm::Vector& vector) {
  auto& statement = connection_.statement(
      "INSERT INTO ltm_memories(tenant, id, user_id, agent_id, session_id, category, speaker,"
      " created_at, updated_at, expires_at, version, digest, text, metadata, model, vector)"
      " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence");
  statement.bind(1, tenant_);
  statement.bind(2, memory.id);
  if (!memory.scope.user_id.empty()) statement.bind(3, memory.scope.user_id);
  if (!memory.scope.agent_id.empty()) statement.bind(4, memory.scope.agent_id);
  if (!memory.scope.session_id.empty()) statement.bind(5, memory.scope.session_id);
  bind_content(statement, 6, memory, digest);
  bind_vector(statement, 15, vector, space_);
  statement.executeStep();
  memory.sequence = statement.getColumn(0).getInt64();
  statement.reset();
}

void MemoryRows::update(const Memory& memory, const std::string& digest,
                        const std::optional<llm::Vector>& vector) {
  auto& statement = connection_.statement(
      "UPDATE ltm_memories SET category = ?3, speaker = ?4, created_at = ?5, updated_at = ?6,"
      " expires_at = ?7, version = ?8, digest = ?9, text = ?10, metadata = ?11"
      " WHERE tenant = ?1 AND id = ?2");
  statement.bind(1, tenant_);
  statement.bind(2, memory.id);
  bind_content(statement, 3, memory, digest);
  statement.exec();
  if (vector) set_vector(memory.id, *vector);
}

void MemoryRows::set_vector(std::string_view id, const llm::Vector& vector) {
  auto& replace = connection_.statement(
      "UPDATE ltm_memories SET model = ?3, vector = ?4 WHERE tenant = ?1 AND id = ?2");
  replace.bind(1, tenant_);
  replace.bind(2, std::string(id));
  bind_vector(replace, 3, vector, space_);
  replace.exec();
}

std::optional<MemoryRow> MemoryRows::find(std::string_view id) {
  static const std::string sql =
      "SELECT " + kColumns + ", model, vector FROM ltm_memories WHERE tenant = ? AND id = ?";
  auto& query = connection_.statement(sql);
  query.bind(1, tenant_);
  query.bind(2, std::string(id));
  std::optional<MemoryRow> found;
  if (query.executeStep()) found = MemoryRow{memory_of(query), vector_of(query, space_)};
  query.reset();
  return found;
}

std::optional<Memory> MemoryRows::find_same(const Memory& memory, const std::string& digest,
                                            std::string_view folded, Timestamp now) {
  static const std::string sql = "SELECT " + kColumns +
                                 " FROM ltm_memories WHERE tenant = ? AND digest = ?"
                                 " AND (expires_at IS NULL OR expires_at > ?) ORDER BY sequence";
  auto& query = connection_.statement(sql);
  query.bind(1, tenant_);
  query.bindNoCopy(2, digest.data(), static_cast<int>(digest.size()));
  query.bind(3, micros(now));
  std::optional<Memory> same;
  while (!same && query.executeStep()) {
    Memory other = memory_of(query);
    if (says_the_same(other, memory, folded)) same = std::move(other);
  }
  query.reset();
  return same;
}

std::optional<Memory> MemoryRows::remove(std::string_view id) {
  static const std::string sql =
      "DELETE FROM ltm_memories WHERE tenant = ? AND id = ? RETURNING " + kColumns;
  auto& statement = connection_.statement(sql);
  statement.bind(1, tenant_);
  statement.bind(2, std::string(id));
  std::vector<Memory> removed = memories_of(statement);
  if (removed.empty()) return std::nullopt;
  return std::move(removed.front());
}

std::vector<Memory> MemoryRows::remove_scope(const Scope& scope, std::int64_t last,
                                             std::size_t limit) {
  static const ByScope sql(
      "DELETE FROM ltm_memories WHERE sequence IN (SELECT sequence FROM ltm_memories",
      "AND " + kInScope + " AND sequence <= ?5 LIMIT ?6) RETURNING " + kColumns);
  auto& statement = sql.statement(connection_, tenant_, scope);
  statement.bind(5, last);
  statement.bind(6, static_cast<std::int64_t>(limit));
  return memories_of(statement);
}

std::vector<Memory> MemoryRows::remove_expired(Timestamp now, std::size_t limit) {
  // The plus keeps the planner from looking at all memories of the tenant.
  static const std::string sql =
      "DELETE FROM ltm_memories WHERE sequence IN (SELECT sequence FROM ltm_memories"
      " WHERE expires_at <= ? AND +tenant = ? LIMIT ?) RETURNING " +
      kColumns;
  auto& statement = connection_.statement(sql);
  statement.bind(1, micros(now));
  statement.bind(2, tenant_);
  statement.bind(3, static_cast<std::int64_t>(limit));
  return memories_of(statement);
}

bool MemoryRows::visit_newest(const Scope& scope, Timestamp now, std::optional<Category> category,
                              std::optional<ListPosition> after, std::size_t max_rows,
                              const std::function<bool(Memory)>& visit) {
  // Every row that is looked at comes out, so that rows that nobody wants count as well.
  static const ByScope sql("SELECT " + kColumns + ", " + kInScope + " AND " + kVisible +
                               " AND (?6 IS NULL OR category = ?6)"
                               " AND (created_at, sequence) < (?7, ?8) FROM ltm_memories",
                           "AND created_at <= ?7 ORDER BY created_at DESC, sequence DESC");
  auto& query = sql.statement(connection_, tenant_, scope);
  query.bind(5, micros(now));
  if (category) query.bind(6, std::string(to_string(*category)));
  query.bind(7, after ? micros(after->created_at) : kMax);
  query.bind(8, after ? after->sequence : kMax);
  bool finished = true;
  for (std::size_t rows = 0; query.executeStep(); ++rows) {
    finished = rows < max_rows;
    if (!finished) break;
    if (query.getColumn(kWantedColumn).getInt() != 0 && !visit(memory_of(query))) break;
  }
  query.reset();
  return finished;
}

void MemoryRows::visit_all(const Scope& scope, Timestamp now,
                           const std::function<void(MemoryRow)>& visit) {
  static const ByScope sql(
      "SELECT " + kColumns + ", model, vector FROM ltm_memories",
      "AND " + kInScope + " AND " + kVisible + " ORDER BY created_at, sequence");
  auto& query = sql.statement(connection_, tenant_, scope);
  query.bind(5, micros(now));
  while (query.executeStep()) visit({memory_of(query), vector_of(query, space_)});
}

void MemoryRows::insert_history(const Memory& memory, const std::string* old_text,
                                const std::string* new_text, Event event, Timestamp time) {
  auto& statement = connection_.statement(
      "INSERT INTO ltm_history(tenant, memory_id, sequence, id, event, created_at, updated_at,"
      " old_text, new_text) VALUES(?1, ?2, (SELECT ifnull(max(sequence), 0) + 1 FROM ltm_history"
      " WHERE tenant = ?1 AND memory_id = ?2), ?3, ?4, ?5, ?6, ?7, ?8)");
  statement.bind(1, tenant_);
  statement.bind(2, memory.id);
  statement.bind(3, make_id());
  statement.bind(4, std::string(to_string(event)));
  statement.bind(5, micros(memory.created_at));
  statement.bind(6, micros(time));
  if (old_text) statement.bindNoCopy(7, *old_text);
  if (new_text) statement.bindNoCopy(8, *new_text);
  statement.exec();
}

std::vector<HistoryEntry> MemoryRows::history(std::string_view memory_id) {
  auto& query = connection_.statement(
      "SELECT id, event, created_at, updated_at, old_text, new_text FROM ltm_history"
      " WHERE tenant = ? AND memory_id = ? ORDER BY sequence");
  query.bind(1, tenant_);
  query.bind(2, std::string(memory_id));
  std::vector<HistoryEntry> entries;
  while (query.executeStep()) {
    HistoryEntry& entry = entries.emplace_back();
    entry.id = text(query.getColumn(0));
    entry.memory_id = memory_id;
    if (!query.isColumnNull(4)) entry.old_text = text(query.getColumn(4));
    if (!query.isColumnNull(5)) entry.new_text = text(query.getColumn(5));
    entry.event = event_from(text(query.getColumn(1))).value_or(Event::none);
    entry.created_at = timestamp(query.getColumn(2));
    entry.updated_at = timestamp(query.getColumn(3));
  }
  return entries;
}

std::int64_t last_sequence(sqlite::Connection& connection) {
  auto& query = connection.statement("SELECT max(sequence) FROM ltm_memories");
  query.executeStep();
  return query.getColumn(0).getInt64();
}

std::vector<OwnedMemory> waiting_memories(sqlite::Connection& connection, Waiting what,
                                          const VectorSpace& space, Timestamp now,
                                          std::int64_t after, std::size_t limit) {
  static const std::string all = "SELECT " + kColumns + ", tenant FROM ltm_memories" +
                                 " WHERE sequence > ?1 AND (expires_at IS NULL OR expires_at > ?2)";
  static const std::string without_vector = all + " AND model IS NOT ?3 ORDER BY sequence";
  static const std::string unprocessed =
      all + " AND instr(metadata, '\"unprocessed\"') > 0 ORDER BY sequence";
  constexpr int kTenantColumn = kBehindMemory;
  std::vector<OwnedMemory> waiting;
  auto& query = connection.statement(what == Waiting::vector ? without_vector : unprocessed);
  query.bind(1, after);
  query.bind(2, micros(now));
  if (what == Waiting::vector) query.bind(3, space.model);
  while (waiting.size() < limit && query.executeStep()) {
    Memory memory = memory_of(query);
    if (what == Waiting::extraction && !is_unprocessed(memory)) continue;
    waiting.push_back(
        {text(query.getColumn(kTenantColumn)), std::make_shared<const Memory>(std::move(memory))});
  }
  query.reset();
  return waiting;
}

std::optional<std::string> tenant_to_sweep(sqlite::Connection& connection, Timestamp now) {
  auto& query =
      connection.statement("SELECT tenant FROM ltm_memories WHERE expires_at <= ? LIMIT 1");
  query.bind(1, micros(now));
  std::optional<std::string> tenant;
  if (query.executeStep()) tenant = text(query.getColumn(0));
  query.reset();
  return tenant;
}

}  // namespace maas::ltm
