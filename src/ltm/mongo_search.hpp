#pragma once

#include "ltm/large_scopes.hpp"
#include "ltm/memory_row.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_search_index.hpp"
#include "ltm/partition_source_mongo.hpp"
#include "ltm/scope_partitions.hpp"
#include "ltm/search.hpp"
#include "ltm/server_search.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

struct MongoSearchOptions {
  ScopePartitionsOptions cache = {};
  SearchIndexOptions index = {};
  // Memories in a scope that is ranked whole in this process; larger ones are ranked from the
  // server's candidates, or refused where it has no search.
  std::size_t scan_limit = 20'000;
  // Memories in a scope whose vectors are held here, too, though the server could compare them.
  std::size_t local_vectors = 200;
  // Whether searches of an index that is behind its collection read what was stored last beside it.
  bool read_your_writes = true;
};

// How the memories of a MongoDB-wire server are searched: in partitions here where a scope is small
// or the server has no search, else by the server (ServerSearch). Thread-safe; functions block.
class MongoSearch {
 public:
  // Borrows the client. The clock is that of the cache.
  MongoSearch(MongoClient& client, const std::string& collection, const VectorSpace& space,
              const MongoSearchOptions& options);

  std::vector<SearchHit> search(std::string_view tenant, const Scope& scope,
                                const SearchQuery& query);
  std::vector<Neighbour> nearest(std::string_view tenant, const Scope& scope,
                                 const llm::Vector& vector, std::size_t limit);
  // For the point of view from which a query is embedded; what is found is read after that.
  std::vector<std::string> speakers(std::string_view tenant, const Scope& scope);

  // This process has committed changes.
  void note_change() noexcept;

  // How it is searched at the moment, and what is wrong with that.
  std::shared_ptr<const SearchIndexState> state() const { return index_.state(); }

 private:
  using Read = void (ScopePartitions::*)(std::string_view tenant, const Scope& scope,
                                         std::size_t most, const ScopePartitions::Use& use);

  bool read_here(const SearchIndexState& state, std::string_view tenant, const Scope& scope,
                 Read read, const ScopePartitions::Use& use);

  const std::function<Timestamp()> clock_;
  const std::size_t scan_limit_;
  const std::size_t local_vectors_;
  MongoPartitionSource whole_source_;
  MongoPartitionSource words_source_;
  ScopePartitions whole_;  // with vectors
  ScopePartitions words_;  // without
  LargeScopes not_local_;  // while the server searches
  ServerSearch server_;
  MongoSearchIndex index_;
};

}  // namespace maas::ltm
