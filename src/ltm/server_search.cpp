#include "ltm/server_search.hpp"

#include "ltm/memory_bson.hpp"
#include "ltm/mongo_dialect.hpp"
#include "ltm/mongo_queries.hpp"
#include "ltm/scope_key.hpp"
#include "ltm/vector_table.hpp"
#include "text/analysis.hpp"
#include "text/language.hpp"

#include <boost/algorithm/string/join.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace maas::ltm {
namespace {

// An arm gives so many candidates per result, and at least; the mean of all is told from them, too.
// Of a scope that is ranked whole fewer are enough: its words are known without them. On LoCoMo 128
// cosines find as much as half of all do (any@10 .907 and .909).
constexpr std::size_t kPerResult = 4;
constexpr std::size_t kLeastToRank = 128;
constexpr std::size_t kLeast = 256;

// Up to so many vectors are compared one by one: an index with a filter finds less, and is slower.
constexpr std::size_t kComparedAll = 5'000;
// Memories that a filter lets through are named to the server, if they are not more.
constexpr std::size_t kNamed = 1'000;
// Within this time a search index knows what was stored.
constexpr std::chrono::seconds kIndexing{10};
constexpr std::size_t kMostRecent = 1'000;

std::size_t candidates(std::size_t limit, std::size_t least = kLeast) {
  return std::max(kPerResult * limit, least);
}

}  // namespace

struct ServerSearch::Asked {
  const SearchIndexState& index;
  std::string_view tenant;
  const Scope& scope;
  const SearchQuery* query = nullptr;        // null: for everything in the scope
  std::vector<std::int64_t> sequences = {};  // of what a filter lets through, if they are few
  bool by_sequence = false;

  Document filter(const VectorSpace& space, Timestamp now) const {
    Document filter = visible(scope_filter(tenant, scope), now);
    filter.set("model", space.model);
    Document among;
    if (by_sequence) {
      filter.set("sequence", among.set("$in", std::span<const std::int64_t>(sequences)));
    } else if (query && !query->categories.empty()) {
      std::vector<std::string> names;
      for (const Category each : query->categories) names.emplace_back(to_string(each));
      filter.set("category", among.set("$in", std::span<const std::string>(names)));
    }
    return filter;
  }
};

ServerSearch::ServerSearch(MongoClient& client, ScopePartitions& partitions,
                           ServerSearchOptions options)
    : client_(client), partitions_(partitions), options_(std::move(options)) {}

std::vector<SearchHit> ServerSearch::search(const SearchIndexState& index, std::string_view tenant,
                                            const Scope& scope, const SearchQuery& query) {
  const Asked asked{.index = index, .tenant = tenant, .scope = scope, .query = &query};
  const std::string key = scope_key(tenant, scope);
  if (!large_.contains(key)) {
    try {
      return search_partition(asked, query);
    } catch (const TooManyMemories&) {
      large_.add(key);
    }
  }
  return search_candidates(asked, query);
}

std::vector<SearchHit> ServerSearch::search_partition(const Asked& given,
                                                      const SearchQuery& query) {
  Asked asked = given;
  std::size_t memories = 0;
  std::vector<SearchHit> found;
  const bool needs_server = !query.vector.empty();
  partitions_.read(asked.tenant, asked.scope, options_.scan_limit, [&](const Partition& partition) {
    memories = partition.size();
    if (!needs_server) {
      found = partition.search(query, options_.clock());
    } else if (query.filter) {
      auto sequences = partition.sequences(query, options_.clock(), kNamed);
      asked.by_sequence = sequences.has_value();
      if (sequences) asked.sequences = std::move(*sequences);
    }
  });
  if (!needs_server || memories == 0 || (asked.by_sequence && asked.sequences.empty())) {
    return found;
  }
  // The partition isn't held while the server is asked.
  const VectorHits hits =
      vector_hits(asked, query.vector, candidates(query.limit, kLeastToRank), memories);
  partitions_.read_roughly(
      asked.tenant, asked.scope, options_.scan_limit,
      [&](const Partition& partition) { found = partition.search(query, hits, options_.clock()); });
  return found;
}

std::vector<SearchHit> ServerSearch::search_candidates(const Asked& given,
                                                       const SearchQuery& query) {
  Asked asked = given;
  const std::size_t limit = candidates(query.limit);
  std::vector<MemoryPtr> among;
  if (query.filter) {
    among = matching(asked, query, kNamed + 1);
    if (among.empty()) return {};
    asked.by_sequence = among.size() <= kNamed;
    if (!asked.by_sequence) among.clear();
    for (const MemoryPtr& memory : among) asked.sequences.push_back(memory->sequence);
  }
  VectorHits hits;
  if (!query.vector.empty()) {
    hits = vector_hits(asked, query.vector, limit, options_.scan_limit);
    hits.among = asked.by_sequence ? among.size() : options_.scan_limit;
  }
  if (!asked.by_sequence) {
    std::vector<std::string> ids = word_hits(asked, query, limit);
    for (const auto& [id, cosine] : hits.hits) ids.push_back(id);
    if (is_behind(asked)) std::ranges::move(recent(asked), std::back_inserter(ids));
    among = memories(asked, std::move(ids));
  }
  PartitionOptions options = options_.partition;
  options.dims = 0;
  Partition partition(options);
  for (MemoryPtr& memory : among) partition.put(std::move(memory), {});
  if (query.vector.empty()) return partition.search(query, options_.clock());
  return partition.search(query, hits, options_.clock());
}

std::vector<Neighbour> ServerSearch::nearest(const SearchIndexState& index, std::string_view tenant,
                                             const Scope& scope, const llm::Vector& vector,
                                             std::size_t limit) {
  const Asked asked{.index = index, .tenant = tenant, .scope = scope};
  // What was removed a moment ago may still be told.
  const VectorHits hits = vector_hits(asked, vector, candidates(limit), kComparedAll);
  std::unordered_map<std::string_view, float> cosines;
  std::vector<std::string> ids;
  for (const auto& [id, cosine] : hits.hits) {
    cosines.emplace(id, cosine);
    ids.push_back(id);
  }
  std::vector<Neighbour> neighbours;
  for (MemoryPtr& memory : memories(asked, std::move(ids))) {
    const float cosine = cosines.find(memory->id)->second;
    neighbours.push_back({std::move(memory), cosine});
  }
  std::ranges::stable_sort(neighbours, std::ranges::greater(), &Neighbour::cosine);
  if (neighbours.size() > limit) neighbours.resize(limit);
  return neighbours;
}

// `memories`: about how many the filter lets through at most.
VectorHits ServerSearch::vector_hits(const Asked& asked, const llm::Vector& vector,
                                     std::size_t limit, std::size_t memories) const {
  const bool exact = asked.by_sequence || memories <= kComparedAll;
  VectorHits hits;
  hits.hits = ask(asked, vector, limit, exact);
  if (!exact && hits.hits.size() < std::min(limit, memories)) {
    hits.hits = ask(asked, vector, limit, true);
  }
  hits.are_all = hits.hits.size() < limit;
  if (is_behind(asked)) add_recent(asked, vector, hits);
  return hits;
}

std::vector<VectorHits::Hit> ServerSearch::ask(const Asked& asked, const llm::Vector& vector,
                                               std::size_t limit, bool exact) const {
  const bool is_atlas = asked.index.store == VectorStore::atlas;
  const VectorQuery query{.vector = vector,
                          .filter = asked.filter(options_.space, options_.clock()),
                          .limit = limit,
                          .exact = exact};
  const std::vector<Document> pipeline =
      is_atlas ? atlas::vector_pipeline(query) : documentdb::vector_pipeline(query);
  std::vector<VectorHits::Hit> hits;
  client_.use([&](MongoSession& session) {
    hits.clear();
    session.aggregate(Collection::memories, pipeline, [&](const _bson_t* document) {
      const double score = real_field(document, "score");
      const double cosine = is_atlas ? atlas::cosine(score) : documentdb::cosine(score);
      hits.push_back({text_field(document, "id"), static_cast<float>(cosine)});
      return true;
    });
  });
  return hits;
}

// What the search index may not know yet, or knows as it was.
void ServerSearch::add_recent(const Asked& asked, const llm::Vector& vector,
                              VectorHits& hits) const {
  const Timestamp now = options_.clock();
  Document filter = asked.filter(options_.space, now);
  std::vector<VectorHits::Hit> recent;
  client_.use([&](MongoSession& session) {
    recent.clear();
    session.find(Collection::memories, updated_since(filter, now - kIndexing),
                 ids_and_vectors(kMostRecent), [&](const _bson_t* document) {
                   const llm::Vector own = vector_field(document);
                   if (own.size() != vector.size()) return true;
                   recent.push_back(
                       {text_field(document, "id"), dot(vector.data(), own.data(), own.size())});
                   return true;
                 });
  });
  if (recent.empty()) return;
  std::unordered_set<std::string_view> ids;
  for (const auto& [id, cosine] : recent) ids.insert(id);
  std::erase_if(hits.hits, [&ids](const auto& each) { return ids.contains(each.id); });
  std::ranges::move(recent, std::back_inserter(hits.hits));
  std::ranges::stable_sort(hits.hits, std::ranges::greater(), &VectorHits::Hit::cosine);
}

// The ids of the memories that hold words of a query, the best first.
std::vector<std::string> ServerSearch::word_hits(const Asked& asked, const SearchQuery& query,
                                                 std::size_t limit) const {
  using Words = SearchIndexState::Words;
  std::vector<std::string> ids;
  TextQuery words{.limit = limit};
  // Words alone: a sign before one of them would mean something to the server.
  words.words = boost::algorithm::join(
      text::content_words(query.text, text::detect_language(query.text)), " ");
  if (asked.index.words == Words::nothing || words.words.empty()) return ids;
  words.filter = equal_to(asked.tenant, asked.scope);
  const std::vector<Document> pipeline =
      asked.index.words == Words::search_index ? atlas::text_pipeline(words) : text_pipeline(words);
  client_.use([&](MongoSession& session) {
    ids.clear();
    session.aggregate(Collection::memories, pipeline, [&ids](const _bson_t* document) {
      ids.push_back(text_field(document, "id"));
      return true;
    });
  });
  return ids;
}

// Whether the search indexes may not know yet what was stored a moment ago.
bool ServerSearch::is_behind(const Asked& asked) const {
  return asked.index.store == VectorStore::atlas && options_.read_your_writes;
}

// The ids of what was stored a moment ago.
std::vector<std::string> ServerSearch::recent(const Asked& asked) const {
  const Timestamp now = options_.clock();
  const Document filter = visible(scope_filter(asked.tenant, asked.scope), now);
  std::vector<std::string> ids;
  client_.use([&](MongoSession& session) {
    ids.clear();
    session.find(Collection::memories, updated_since(filter, now - kIndexing),
                 ids_alone(kMostRecent), [&ids](const _bson_t* document) {
                   ids.push_back(text_field(document, "id"));
                   return true;
                 });
  });
  return ids;
}

std::vector<MemoryPtr> ServerSearch::memories(const Asked& asked,
                                              std::vector<std::string> ids) const {
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  std::vector<MemoryPtr> found;
  if (ids.empty()) return found;
  client_.use([&](MongoSession& session) {
    found.clear();
    session.find(Collection::memories, ids_filter(asked.tenant, ids), without_vectors(),
                 [&](const _bson_t* document) {
                   auto memory = std::make_shared<const Memory>(memory_of(document));
                   if (!expired(*memory, options_.clock())) found.push_back(std::move(memory));
                   return true;
                 });
  });
  return found;
}

// Up to `limit` memories that the filter of a query lets through.
std::vector<MemoryPtr> ServerSearch::matching(const Asked& asked, const SearchQuery& query,
                                              std::size_t limit) const {
  ListQuery list;
  list.filter = query.filter;
  std::vector<MemoryPtr> found;
  client_.use([&](MongoSession& session) {
    found.clear();
    session.find(Collection::memories,
                 list_filter(asked.tenant, asked.scope, list, options_.clock()), newest_first(0),
                 [&](const _bson_t* document) {
                   auto memory = std::make_shared<const Memory>(memory_of(document));
                   if (matches(*query.filter, *memory)) found.push_back(std::move(memory));
                   return found.size() < limit;
                 });
  });
  return found;
}

}  // namespace maas::ltm
