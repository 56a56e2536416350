#include "ltm/mongo_dialect.hpp"

#include <algorithm>

namespace maas::ltm::documentdb {
namespace {

// Of an index: as good as the server's default, and twice its effort where the default is low.
constexpr int kHnswNeighbours = 16;
constexpr int kHnswBuildEffort = 64;
constexpr int kIvfLists = 1;  // which is an exact scan: it is the last resort
constexpr int kDiskannNeighbours = 32;
constexpr int kDiskannBuildEffort = 64;

// An index gives at most as many results as it looks at.
constexpr std::size_t kSearchEffort = 4;
constexpr std::size_t kMostSearchEffort = 1000;

}  // namespace

std::string_view to_string(IndexKind kind) {
  switch (kind) {
    case IndexKind::hnsw:
      return "vector-hnsw";
    case IndexKind::ivf:
      return "vector-ivf";
    case IndexKind::diskann:
      return "vector-diskann";
  }
  return {};
}

Document create_vector_index(const std::string& collection, IndexKind kind, std::size_t dims) {
  Document options;
  options.set("kind", to_string(kind)).set("similarity", "COS");
  options.set("dimensions", static_cast<int>(dims));
  switch (kind) {
    case IndexKind::hnsw:
      options.set("m", kHnswNeighbours).set("efConstruction", kHnswBuildEffort);
      break;
    case IndexKind::ivf:
      options.set("numLists", kIvfLists);
      break;
    case IndexKind::diskann:
      options.set("maxDegree", kDiskannNeighbours).set("lBuild", kDiskannBuildEffort);
      break;
  }
  if (dims > kMostDimensions) options.set("compression", "half");

  std::vector<Document> indexes;
  Document key, index;
  index.set("name", kVectorIndex).set("key", key.set("embedding", "cosmosSearch"));
  indexes.push_back(std::move(index.set("cosmosSearchOptions", options)));
  for (const std::string_view path : kFilterPaths) {
    Document ascending, plain;
    plain.set("name", std::string(path) + "_1").set("key", ascending.set(path, 1));
    indexes.push_back(std::move(plain));
  }
  Document command;
  command.set("createIndexes", collection).set("indexes", std::span<const Document>(indexes));
  return command;
}

std::vector<Document> vector_pipeline(const VectorQuery& query) {
  Document search;
  search.set("vector", query.vector).set("path", "embedding");
  search.set("k", static_cast<int>(query.limit));
  if (query.exact) {
    search.set("exact", true);
  } else {
    search.set("efSearch", static_cast<int>(std::clamp(kSearchEffort * query.limit, query.limit,
                                                       kMostSearchEffort)));
  }
  search.set("filter", query.filter);
  Document wrapped, first, meta, score, set, fields, project;
  std::vector<Document> stages;
  stages.push_back(std::move(first.set("$search", wrapped.set("cosmosSearch", search))));
  stages.push_back(
      std::move(set.set("$set", score.set("score", meta.set("$meta", "searchScore")))));
  stages.push_back(
      std::move(project.set("$project", fields.set("_id", 0).set("id", 1).set("score", 1))));
  return stages;
}

}  // namespace maas::ltm::documentdb
