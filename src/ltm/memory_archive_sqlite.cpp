#include "ltm/memory_archive.hpp"
#include "ltm/memory_columns_sqlite.hpp"
#include "ltm/memory_rows_sqlite.hpp"
#include "ltm/same_text.hpp"
#include "text/folding.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstring>
#include <utility>

namespace maas::ltm {
namespace {

using sqlite::Connection;

llm::Vector vector_in(const SQLite::Column& blob) {
  llm::Vector vector(static_cast<std::size_t>(blob.getBytes()) / sizeof(float));
  if (!vector.empty()) std::memcpy(vector.data(), blob.getBlob(), vector.size() * sizeof(float));
  return vector;
}

void read_memories(Connection& connection, std::int64_t after, std::size_t limit,
                   ArchivePart& part) {
  static const std::string sql = "SELECT " + std::string(kMemoryColumns) +
                                 ", tenant, model, vector FROM ltm_memories WHERE sequence > ?"
                                 " ORDER BY sequence LIMIT ?";
  auto& query = connection.statement(sql);
  query.bind(1, after);
  query.bind(2, static_cast<std::int64_t>(limit));
  while (query.executeStep()) {
    ArchivedMemory& archived = part.memories.emplace_back();
    archived.memory = memory_of(query);
    archived.tenant = text(query.getColumn(kBehindMemory));
    archived.model = text(query.getColumn(kBehindMemory + 1));
    archived.vector = vector_in(query.getColumn(kBehindMemory + 2));
    part.last.sequence = archived.memory.sequence;
  }
}

void read_gone(Connection& connection, const ArchivePosition& after, std::size_t limit,
               ArchivePart& part) {
  auto& query = connection.statement(
      "SELECT tenant, memory_id FROM ltm_history WHERE event = 'DELETE'"
      " AND (tenant, memory_id) > (?, ?) ORDER BY tenant, memory_id LIMIT ?");
  query.bind(1, after.tenant);
  query.bind(2, after.id);
  query.bind(3, static_cast<std::int64_t>(limit));
  while (query.executeStep()) {
    ArchivedMemory& archived = part.memories.emplace_back();
    archived.is_gone = true;
    archived.tenant = text(query.getColumn(0));
    archived.memory.id = text(query.getColumn(1));
    part.last.tenant = archived.tenant;
    part.last.id = archived.memory.id;
  }
}

void write_history(Connection& connection, const ArchivedMemory& archived) {
  for (std::size_t i = 0; i < archived.history.size(); ++i) {
    const HistoryEntry& entry = archived.history[i];
    auto& statement = connection.statement(
        "INSERT INTO ltm_history(tenant, memory_id, sequence, id, event, created_at, updated_at,"
        " old_text, new_text) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
    statement.bind(1, archived.tenant);
    statement.bind(2, archived.memory.id);
    statement.bind(3, static_cast<std::int64_t>(i + 1));
    statement.bind(4, entry.id);
    statement.bind(5, std::string(to_string(entry.event)));
    statement.bind(6, micros(entry.created_at));
    statement.bind(7, micros(entry.updated_at));
    if (entry.old_text) statement.bindNoCopy(8, *entry.old_text);
    if (entry.new_text) statement.bindNoCopy(9, *entry.new_text);
    statement.exec();
  }
}

class SqliteMemoryArchive final : public MemoryArchive {
 public:
  SqliteMemoryArchive(sqlite::Database& database, VectorSpace space)
      : database_(database), space_(std::move(space)) {}

  ArchivePart read(const ArchivePosition& after, std::size_t limit) override {
    return database_.read_here([&](Connection& connection) {
      ArchivePart part{.last = after};
      if (!after.memories_are_read) read_memories(connection, after.sequence, limit, part);
      if (part.memories.empty()) {
        part.last.memories_are_read = true;
        read_gone(connection, after, limit, part);
      }
      for (ArchivedMemory& each : part.memories) {
        each.history = rows(connection, each).history(each.memory.id);
      }
      return part;
    });
  }

  std::optional<ArchivePosition> position_of(const ArchivedMemory& last) override {
    if (last.is_gone) {
      return ArchivePosition{
          .memories_are_read = true, .tenant = last.tenant, .id = last.memory.id};
    }
    return database_.read_here([&](Connection& connection) {
      const auto row = rows(connection, last).find(last.memory.id);
      std::optional<ArchivePosition> position;
      if (row) position = ArchivePosition{.sequence = row->memory.sequence};
      return position;
    });
  }

  Imported write(std::span<const ArchivedMemory> memories) override {
    const auto change = [&](Connection& connection) {
      Imported imported;
      for (const ArchivedMemory& each : memories) write_one(connection, each, imported);
      return imported;
    };
    boost::asio::io_context loop;
    auto written = boost::asio::co_spawn(loop, database_.write(change), boost::asio::use_future);
    loop.run();
    return written.get();
  }

 private:
  MemoryRows rows(Connection& connection, const ArchivedMemory& archived) const {
    return {connection, archived.tenant, space_};
  }

  void write_one(Connection& connection, const ArchivedMemory& archived, Imported& imported) const {
    MemoryRows known = rows(connection, archived);
    if (const auto row = known.find(archived.memory.id)) {
      count_known(archived, {.memory = row->memory}, imported);
      return;
    }
    auto history = known.history(archived.memory.id);
    if (!history.empty()) {
      count_known(archived, {.is_gone = true, .history = std::move(history)}, imported);
      return;
    }
    if (!archived.is_gone) {
      Memory memory = archived.memory;
      const bool has_vector = keeps_vector(archived, space_);
      const VectorSpace space{archived.model, archived.vector.size()};
      MemoryRows(connection, archived.tenant, space)
          .insert(memory, digest_of(memory.scope, memory.category, text::folded_line(memory.text)),
                  has_vector ? archived.vector : llm::Vector());
      if (!has_vector || archived.model != space_.model) ++imported.unvectored;
    }
    write_history(connection, archived);
    ++imported.stored;
  }

  sqlite::Database& database_;
  VectorSpace space_;
};

}  // namespace

std::unique_ptr<MemoryArchive> make_sqlite_memory_archive(sqlite::Database& database,
                                                          VectorSpace space) {
  return std::make_unique<SqliteMemoryArchive>(database, std::move(space));
}

}  // namespace maas::ltm
