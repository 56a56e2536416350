#include "ltm/memory_columns_sqlite.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <optional>

namespace maas::ltm {

std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

Timestamp timestamp(const SQLite::Column& column) {
  return Timestamp(std::chrono::microseconds(column.getInt64()));
}

std::string text(const SQLite::Column& column) {
  const auto* bytes = static_cast<const char*>(column.getBlob());
  return bytes ? std::string(bytes, static_cast<std::size_t>(column.getBytes())) : std::string();
}

Memory memory_of(const SQLite::Statement& row) {
  Memory memory{.id = text(row.getColumn(1)),
                .scope = {.user_id = text(row.getColumn(2)),
                          .agent_id = text(row.getColumn(3)),
                          .session_id = text(row.getColumn(4))},
                .category = category_from(text(row.getColumn(5))).value_or(Category::semantic),
                .text = text(row.getColumn(11)),
                .metadata = text(row.getColumn(12)),
                .speaker = text(row.getColumn(6)),
                .created_at = timestamp(row.getColumn(7)),
                .updated_at = timestamp(row.getColumn(8)),
                .expires_at = std::nullopt,
                .version = row.getColumn(10).getInt64(),
                .sequence = row.getColumn(0).getInt64()};
  if (!row.isColumnNull(9)) memory.expires_at = timestamp(row.getColumn(9));
  return memory;
}

}  // namespace maas::ltm
