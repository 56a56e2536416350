#include "ltm/mongo_index_setup.hpp"

#include "core/log.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/search_index_bson.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace maas::ltm {
namespace {

using Words = SearchIndexState::Words;

// Codes by which a server says that it has no such command, stage or kind of index.
constexpr std::uint32_t kSearchNotEnabled = 31082;
constexpr std::uint32_t kLacking[] = {2,     59,    67,     72, 115, 197, kSearchNotEnabled,
                                      40324, 40415, 6047401};

bool lacks(const MongoError& error) {
  return std::ranges::find(kLacking, error.server_code()) != std::end(kLacking);
}

std::string told_by(const MongoError& error) {
  return error.detail().empty() ? std::string(error.what()) : error.detail();
}

std::optional<std::string> mismatch(const VectorIndex& index, std::string_view similarity,
                                    const std::string& collection, const VectorSpace& space) {
  const std::string name =
      "The vector index " + std::string(kVectorIndex) + " of the collection " + collection;
  const std::string advice =
      ": choose another MONGODB_COLLECTION_NAME, or drop the index, restart, and run 'maas "
      "reembed'";
  if (index.dims != static_cast<std::int64_t>(space.dims)) {
    return name + " is for vectors of " + std::to_string(index.dims) +
           " dimensions, the embedding model " + space.model + " gives " +
           std::to_string(space.dims) + advice;
  }
  if (index.similarity != similarity) {
    return name + " compares by '" + index.similarity + "', not by '" + std::string(similarity) +
           "'" + advice;
  }
  return std::nullopt;
}

AtlasIndexes list_atlas(MongoSession& session) {
  AtlasIndexes indexes;
  session.aggregate(Collection::memories, atlas::list_indexes(), [&](const _bson_t* listed) {
    read_atlas_index(listed, indexes);
    return true;
  });
  return indexes;
}

std::optional<VectorIndex> list_documentdb(MongoSession& session) {
  std::optional<VectorIndex> index;
  session.list_indexes(Collection::memories, [&index](const _bson_t* listed) {
    index = documentdb_index(listed);
    return !index;
  });
  return index;
}

}  // namespace

Words IndexSetup::text_index() const {
  try {
    session.command(create_text_index(collection, options.language));
    return Words::text_index;
  } catch (const MongoError& error) {
    if (error.meaning().network || error.meaning().unusable) throw;
    log::warn("there is no text index: large scopes are searched by vectors alone",
              {{"reason", told_by(error)}});
    return Words::nothing;
  }
}

std::optional<SearchIndexState> IndexSetup::atlas(NoSearch& why) const {
  SearchIndexState state{.store = VectorStore::atlas};
  AtlasIndexes indexes;
  try {
    indexes = list_atlas(session);
    if (!indexes.vectors) {
      if (space.dims > atlas::kMostDimensions) {
        why.reason =
            "its vectors have at most " + std::to_string(atlas::kMostDimensions) + " dimensions";
        return std::nullopt;
      }
      session.command(atlas::create_vector_index(collection, space.dims));
      log::info("the vector index of long-term memory is being built",
                {{"index", kVectorIndex}, {"dimensions", space.dims}});
      indexes = list_atlas(session);
    }
  } catch (const MongoError& error) {
    if (!lacks(error)) throw;
    why = {.reason = told_by(error), .of_any_kind = error.server_code() == kSearchNotEnabled};
    return std::nullopt;
  }
  if (!indexes.has_words) {
    try {
      session.command(atlas::create_text_index(collection));
    } catch (const MongoError& error) {
      // Small clusters have few search indexes.
      if (error.meaning().network || error.meaning().unusable) throw;
      state.words = text_index();
    }
  } else if (indexes.words_are_queryable) {
    state.words = Words::search_index;
  }
  const VectorIndex index = indexes.vectors.value_or(VectorIndex{});
  const std::string name = "the vector index " + std::string(kVectorIndex);
  state.is_ready = index.is_queryable;
  state.description = "atlas: " + name + (index.is_queryable ? " finds" : " is being built");
  if (!indexes.vectors) return state;
  state.problem = mismatch(index, "cosine", collection, space);
  for (const std::string_view path : kFilterPaths) {
    if (state.problem ||
        std::ranges::find(indexes.filter_paths, path) != indexes.filter_paths.end())
      continue;
    state.problem = "The vector index " + std::string(kVectorIndex) + " can't be filtered by " +
                    std::string(path) + ": drop it, and restart to have it made as it is needed";
  }
  if (index.status == "FAILED") {
    state.problem = "MongoDB failed to build " + name + "; its search index page tells why";
  }
  if (state.problem) state.is_ready = false;
  return state;
}

std::optional<SearchIndexState> IndexSetup::documentdb(NoSearch& why) const {
  using documentdb::IndexKind;
  if (space.dims > documentdb::kMostHalfDimensions) {
    why.reason = "its vectors have at most " + std::to_string(documentdb::kMostHalfDimensions) +
                 " dimensions";
    return std::nullopt;
  }
  std::optional<VectorIndex> index = list_documentdb(session);
  // Small servers refuse the better kinds.
  constexpr IndexKind kKinds[] = {IndexKind::diskann, IndexKind::hnsw, IndexKind::ivf};
  for (auto kind = std::ranges::find(kKinds, options.kind); kind != std::end(kKinds); ++kind) {
    if (index) break;
    try {
      session.command(documentdb::create_vector_index(collection, *kind, space.dims));
      index = list_documentdb(session);
    } catch (const MongoError& error) {
      if (!lacks(error)) throw;
      why.reason = told_by(error);
      log::info("the server makes no such vector index",
                {{"kind", documentdb::to_string(*kind)}, {"reason", why.reason}});
    }
  }
  if (!index) return std::nullopt;
  SearchIndexState state{.store = VectorStore::documentdb, .is_ready = true, .words = text_index()};
  state.problem = mismatch(*index, "COS", collection, space);
  if (state.problem) state.is_ready = false;
  state.description =
      "documentdb: the vector index " + std::string(kVectorIndex) + " (" + index->kind + ") finds";
  return state;
}

}  // namespace maas::ltm
