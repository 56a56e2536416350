#pragma once

#include "ltm/large_scopes.hpp"
#include "ltm/memory_row.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_search_index.hpp"
#include "ltm/scope_partitions.hpp"
#include "ltm/search.hpp"
#include "ltm/vector_hits.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

struct ServerSearchOptions {
  VectorSpace space = {};
  PartitionOptions partition = {};
  std::size_t scan_limit = 0;  // memories in a scope that a partition may hold
  // Whether what was stored a moment ago is read beside a search index that does not know it yet.
  bool read_your_writes = true;
  std::function<Timestamp()> clock = now;
};

// Searches where a MongoDB-wire server compares the vectors. Thread-safe; functions block.
//
// A scope that a partition can hold is ranked whole: its words, neighbours and statistics are here,
// in a partition without vectors, and the server tells the best cosines. Of a larger one the server
// gives the candidates of both arms, which are ranked among themselves.
class ServerSearch {
 public:
  // Borrows client and partitions, which hold no vectors.
  ServerSearch(MongoClient& client, ScopePartitions& partitions, ServerSearchOptions options);

  std::vector<SearchHit> search(const SearchIndexState& index, std::string_view tenant,
                                const Scope& scope, const SearchQuery& query);
  std::vector<Neighbour> nearest(const SearchIndexState& index, std::string_view tenant,
                                 const Scope& scope, const llm::Vector& vector, std::size_t limit);

 private:
  struct Asked;  // what a search asks the server for

  std::vector<SearchHit> search_partition(const Asked& asked, const SearchQuery& query);
  std::vector<SearchHit> search_candidates(const Asked& asked, const SearchQuery& query);

  VectorHits vector_hits(const Asked& asked, const llm::Vector& vector, std::size_t limit,
                         std::size_t memories) const;
  std::vector<VectorHits::Hit> ask(const Asked& asked, const llm::Vector& vector, std::size_t limit,
                                   bool exact) const;
  void add_recent(const Asked& asked, const llm::Vector& vector, VectorHits& hits) const;
  std::vector<std::string> word_hits(const Asked& asked, const SearchQuery& query,
                                     std::size_t limit) const;
  std::vector<std::string> recent(const Asked& asked) const;
  bool is_behind(const Asked& asked) const;
  std::vector<MemoryPtr> memories(const Asked& asked, std::vector<std::string> ids) const;
  std::vector<MemoryPtr> matching(const Asked& asked, const SearchQuery& query,
                                  std::size_t limit) const;

  MongoClient& client_;
  ScopePartitions& partitions_;
  const ServerSearchOptions options_;
  LargeScopes large_;  // for a partition
};

}  // namespace maas::ltm
