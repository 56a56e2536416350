#pragma once

#include "ltm/memory_row.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_search_index.hpp"
#include "ltm/partition_source_mongo.hpp"
#include "ltm/scope_partitions.hpp"
#include "ltm/search.hpp"
#include "ltm/server_search.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// How the memories of a MongoDB-wire server are searched: by the server where it can
// (ServerSearch), else in partitions here that hold vectors, too. Thread-safe; functions block.
class MongoSearch {
 public:
  // Borrows the client. The clock is that of `cache`.
  MongoSearch(MongoClient& client, const std::string& collection, const VectorSpace& space,
              const ScopePartitionsOptions& cache, SearchIndexOptions index, bool read_your_writes);

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
  std::function<Timestamp()> clock_;
  MongoPartitionSource whole_source_;
  MongoPartitionSource words_source_;
  ScopePartitions whole_;  // with vectors
  ScopePartitions words_;  // without
  ServerSearch server_;
  MongoSearchIndex index_;
};

}  // namespace maas::ltm
