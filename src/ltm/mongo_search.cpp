#include "ltm/mongo_search.hpp"

#include "ltm/scope_key.hpp"

namespace maas::ltm {
namespace {

ScopePartitionsOptions without_vectors(ScopePartitionsOptions options) {
  options.partition.dims = 0;
  return options;
}

}  // namespace

MongoSearch::MongoSearch(MongoClient& client, const std::string& collection,
                         const VectorSpace& space, const MongoSearchOptions& options)
    : clock_(options.cache.clock),
      scan_limit_(options.scan_limit),
      local_vectors_(options.local_vectors),
      whole_source_(client, space, clock_),
      words_source_(client, {}, clock_),
      whole_(options.cache, whole_source_),
      words_(without_vectors(options.cache), words_source_),
      server_(client, words_,
              {.space = space,
               .partition = options.cache.partition,
               .scan_limit = options.scan_limit,
               .read_your_writes = options.read_your_writes,
               .clock = clock_}),
      index_(client, collection, space, options.index) {}

std::vector<SearchHit> MongoSearch::search(std::string_view tenant, const Scope& scope,
                                           const SearchQuery& query) {
  const auto state = index_.state();
  std::vector<SearchHit> found;
  const auto search = [&](const Partition& partition) {
    found = partition.search(query, clock_());
  };
  if (read_here(*state, tenant, scope, &ScopePartitions::read, search)) return found;
  return server_.search(*state, tenant, scope, query);
}

std::vector<Neighbour> MongoSearch::nearest(std::string_view tenant, const Scope& scope,
                                            const llm::Vector& vector, std::size_t limit) {
  const auto state = index_.state();
  std::vector<Neighbour> found;
  const auto search = [&](const Partition& partition) {
    found = partition.nearest(vector, limit, clock_());
  };
  if (read_here(*state, tenant, scope, &ScopePartitions::read, search)) return found;
  return server_.nearest(*state, tenant, scope, vector, limit);
}

std::vector<std::string> MongoSearch::speakers(std::string_view tenant, const Scope& scope) {
  const auto state = index_.state();
  std::vector<std::string> names;
  const auto read = [&names](const Partition& partition) { names = partition.speakers(); };
  if (read_here(*state, tenant, scope, &ScopePartitions::read_roughly, read)) return names;
  try {
    words_.read_roughly(tenant, scope, scan_limit_, read);
  } catch (const TooManyMemories&) {
    // Who speaks in so large a scope isn't known; the query is embedded as it is.
  }
  return names;
}

void MongoSearch::note_change() noexcept {
  whole_.note_change();
  words_.note_change();
}

// Calls `use` with a partition that has vectors; false: the server is to compare them.
bool MongoSearch::read_here(const SearchIndexState& state, std::string_view tenant,
                            const Scope& scope, Read read, const ScopePartitions::Use& use) {
  if (!state.is_ready) {
    (whole_.*read)(tenant, scope, scan_limit_, use);
    return true;
  }
  if (local_vectors_ == 0) return false;
  const std::string key = scope_key(tenant, scope);
  if (not_local_.contains(key)) return false;
  try {
    (whole_.*read)(tenant, scope, local_vectors_, use);
    return true;
  } catch (const TooManyMemories&) {
    not_local_.add(key);
    return false;
  }
}

}  // namespace maas::ltm
