#include "ltm/memory_store_sqlite.hpp"

namespace maas::ltm {

// An id of the scope that isn't given is NULL. Two memories may have the same digest: an update
// may give one the text of another, and a memory that has expired doesn't keep its text from being
// stored anew. One index doesn't begin with the tenant: all tenants' expired memories are swept.
const std::string_view kSqliteSchema = R"sql(
CREATE TABLE ltm_memories(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT,
  agent_id TEXT,
  session_id TEXT,
  category TEXT NOT NULL,
  speaker TEXT NOT NULL,
  created_at INTEGER NOT NULL,  -- µs since the epoch, as all times here
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  version INTEGER NOT NULL,
  digest BLOB NOT NULL,  -- of owner, category and folded text
  text TEXT NOT NULL,
  metadata TEXT NOT NULL,
  model TEXT,   -- whose the vector is
  vector BLOB,  -- float32, little endian
  UNIQUE(tenant, id)
) STRICT;
CREATE INDEX ltm_memories_of_user ON ltm_memories(tenant, user_id, created_at)
  WHERE user_id IS NOT NULL;
CREATE INDEX ltm_memories_of_agent ON ltm_memories(tenant, agent_id, created_at)
  WHERE agent_id IS NOT NULL;
CREATE INDEX ltm_memories_of_session ON ltm_memories(tenant, session_id, created_at)
  WHERE session_id IS NOT NULL;
CREATE INDEX ltm_memories_by_digest ON ltm_memories(tenant, digest);
CREATE INDEX ltm_memories_to_sweep ON ltm_memories(expires_at, tenant)
  WHERE expires_at IS NOT NULL;
CREATE TABLE ltm_history(
  tenant TEXT NOT NULL,
  memory_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,  -- of the entry among its memory's
  id TEXT NOT NULL,
  event TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  old_text TEXT,
  new_text TEXT,
  PRIMARY KEY(tenant, memory_id, sequence)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace maas::ltm
