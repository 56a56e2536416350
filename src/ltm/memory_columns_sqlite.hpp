#pragma once

#include "core/memory.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace SQLite {
class Column;
class Statement;
}  // namespace SQLite

namespace maas::ltm {

// The columns of a memory, which a statement selects first and memory_of() reads; how many.
inline constexpr std::string_view kMemoryColumns =
    "sequence, id, user_id, agent_id, session_id, category, speaker, created_at, updated_at,"
    " expires_at, version, text, metadata";
inline constexpr int kBehindMemory = 13;

Memory memory_of(const SQLite::Statement& row);

std::int64_t micros(Timestamp time);
Timestamp timestamp(const SQLite::Column& column);
std::string text(const SQLite::Column& column);  // may hold NUL; empty for NULL

}  // namespace maas::ltm
