#pragma once

#include "core/memory.hpp"
#include "llm/embedder.hpp"
#include "ltm/memory_row.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/mongo_client.hpp"
#include "sqlite/database.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// Everything that an engine holds of one memory; or of one that is gone, its history.
struct ArchivedMemory {
  std::string tenant = {};
  Memory memory = {};  // its sequence is the engine's own; of one that is gone the id alone
  bool is_gone = false;
  std::string model = {};  // whose the vector is
  llm::Vector vector = {};
  std::vector<HistoryEntry> history = {};  // oldest first
};

// How far an archive was read: first the memories, in the order of their arrival, then those that
// are gone, by tenant and id.
struct ArchivePosition {
  std::int64_t sequence = 0;  // of the last memory
  bool memories_are_read = false;
  std::string tenant = {};  // of the last that is gone
  std::string id = {};
};

struct ArchivePart {
  std::vector<ArchivedMemory> memories = {};  // none: that was all
  ArchivePosition last = {};
};

// What became of memories that were written.
struct Imported {
  std::size_t stored = 0;
  std::size_t known = 0;       // were there already
  std::size_t newer = 0;       // are there in an older version, or were removed since: left alone
  std::size_t kept = 0;        // are there in a newer version, or were removed there: left alone
  std::size_t unvectored = 0;  // of the stored, those whose vector is not of the engine's model
};

// All tenants' long-term memory as a whole, to be moved between engines. Expired memories come
// along, as invisible as before. For one thread; functions block and throw Error{unavailable}.
class MemoryArchive {
 public:
  virtual ~MemoryArchive() = default;

  // Up to `limit` memories behind a position. What is changed meanwhile may come in either version.
  virtual ArchivePart read(const ArchivePosition& after, std::size_t limit) = 0;

  // Where reading goes on behind a memory; nullopt: it isn't there any more.
  virtual std::optional<ArchivePosition> position_of(const ArchivedMemory& last) = 0;

  // Stores memories as they are, in order, all with vectors and history or none. Nothing that is
  // there is changed. A vector that the engine's model can't be compared with is left out if it is
  // of another size.
  virtual Imported write(std::span<const ArchivedMemory> memories) = 0;
};

// `space` is that of the engine's model. The database is borrowed.
std::unique_ptr<MemoryArchive> make_sqlite_memory_archive(sqlite::Database& database,
                                                          VectorSpace space);
std::unique_ptr<MemoryArchive> make_mongo_memory_archive(MongoOptions server, VectorSpace space);

// Counts a memory of which something is there. `known` is that: its history, and if it is not gone
// its version.
void count_known(const ArchivedMemory& written, const ArchivedMemory& known, Imported& imported);

// Whether the engine keeps the vector of a memory that it is given: there is one, of a size that
// can be compared.
bool keeps_vector(const ArchivedMemory& memory, const VectorSpace& space);

}  // namespace maas::ltm
