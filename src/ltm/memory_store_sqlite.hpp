#pragma once

#include "core/time.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/partition_cache.hpp"
#include "sqlite/database.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace maas::ltm {

struct SqliteMemoryStoreOptions {
  PartitionCacheOptions cache = {};
  std::string model = {};  // names the vectors' space, which has cache.partition.dims; empty: none
};

// Keeps memories in the embedded database and searches them in partitions in memory. Borrows
// database and pool. Vectors of another model stay stored, but are not used.
std::unique_ptr<MemoryStore> make_sqlite_memory_store(sqlite::Database& database,
                                                      boost::asio::thread_pool& pool,
                                                      SqliteMemoryStoreOptions options,
                                                      std::function<Timestamp()> clock = now);

// The statements that create this store's tables, for the database's migrations.
extern const std::string_view kSqliteSchema;

}  // namespace maas::ltm
