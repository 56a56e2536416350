#include "ltm/mongo_search.hpp"

namespace maas::ltm {
namespace {

ScopePartitionsOptions without_vectors(ScopePartitionsOptions options) {
  options.partition.dims = 0;
  return options;
}

}  // namespace

MongoSearch::MongoSearch(MongoClient& client, const std::string& collection,
                         const VectorSpace& space, const ScopePartitionsOptions& cache,
                         SearchIndexOptions index, bool read_your_writes)
    : clock_(cache.clock),
      whole_source_(client, space, cache.max_memories, clock_),
      words_source_(client, {}, cache.max_memories, clock_),
      whole_(cache, whole_source_),
      words_(without_vectors(cache), words_source_),
      server_(client, words_,
              {.space = space,
               .partition = cache.partition,
               .least_large = cache.max_memories,
               .read_your_writes = read_your_writes,
               .clock = clock_}),
      index_(client, collection, space, std::move(index)) {}

std::vector<SearchHit> MongoSearch::search(std::string_view tenant, const Scope& scope,
                                           const SearchQuery& query) {
  const auto state = index_.state();
  if (state->is_ready) return server_.search(*state, tenant, scope, query);
  std::vector<SearchHit> found;
  whole_.read(tenant, scope,
              [&](const Partition& partition) { found = partition.search(query, clock_()); });
  return found;
}

std::vector<Neighbour> MongoSearch::nearest(std::string_view tenant, const Scope& scope,
                                            const llm::Vector& vector, std::size_t limit) {
  const auto state = index_.state();
  if (state->is_ready) return server_.nearest(*state, tenant, scope, vector, limit);
  std::vector<Neighbour> found;
  whole_.read(tenant, scope, [&](const Partition& partition) {
    found = partition.nearest(vector, limit, clock_());
  });
  return found;
}

std::vector<std::string> MongoSearch::speakers(std::string_view tenant, const Scope& scope) {
  const auto state = index_.state();
  std::vector<std::string> names;
  const auto read = [&names](const Partition& partition) { names = partition.speakers(); };
  if (!state->is_ready) {
    whole_.read_roughly(tenant, scope, read);
    return names;
  }
  try {
    words_.read_roughly(tenant, scope, read);
  } catch (const TooManyMemories&) {
    // Who speaks in so large a scope isn't known; the query is embedded as it is.
  }
  return names;
}

void MongoSearch::note_change() noexcept {
  whole_.note_change();
  words_.note_change();
}

}  // namespace maas::ltm
