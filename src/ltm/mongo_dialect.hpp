#pragma once

#include "ltm/document_bson.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// How the families of MongoDB-wire servers are told to search: commands and pipelines as documents.
// Pure. Every pipeline gives documents {id, score}, the best first.
namespace maas::ltm {

inline constexpr std::string_view kVectorIndex = "maas_vector";
inline constexpr std::string_view kTextIndex = "maas_text";

// What the filter of a vector search may ask for. Where a server wants these paths indexed, they
// are.
inline constexpr std::string_view kFilterPaths[] = {
    "tenant",   "user_id",    "agent_id",   "session_id", "model",
    "category", "created_at", "updated_at", "expires_at", "sequence"};
// Of these, what a text search filters by.
inline constexpr std::string_view kTextFilterPaths[] = {"tenant", "user_id", "agent_id",
                                                        "session_id"};

struct VectorQuery {
  std::span<const float> vector;
  Document filter = {};  // of kFilterPaths alone
  std::size_t limit = 0;
  // Every vector that the filter lets through is compared; else an index finds about the nearest.
  bool exact = true;
};

struct TextQuery {
  std::string words = {};  // with spaces between them, none with a meaning of its own
  // What has to be equal: of kTextFilterPaths alone.
  std::vector<std::pair<std::string_view, std::string_view>> filter = {};
  std::size_t limit = 0;
};

// An ordinary text index, which most servers have, and a search in it.
Document create_text_index(const std::string& collection, const std::string& language);
std::vector<Document> text_pipeline(const TextQuery& query);

// DocumentDB and Azure Cosmos DB for MongoDB vCore.
namespace documentdb {

inline constexpr std::size_t kMostDimensions = 2000;
inline constexpr std::size_t kMostHalfDimensions = 4000;  // of vectors of half precision

enum class IndexKind { hnsw, ivf, diskann };
std::string_view to_string(IndexKind kind);  // as its index says it: "vector-hnsw"

// The vector index, with an index for each path of a filter: it takes no other.
Document create_vector_index(const std::string& collection, IndexKind kind, std::size_t dims);
std::vector<Document> vector_pipeline(const VectorQuery& query);
inline double cosine(double score) { return score; }

}  // namespace documentdb

// MongoDB Atlas, Atlas Local, and a MongoDB server with mongot.
namespace atlas {

inline constexpr std::size_t kMostDimensions = 8192;

Document create_vector_index(const std::string& collection, std::size_t dims);
Document create_text_index(const std::string& collection);
// Tells name, status, queryable and latestDefinition of each search index.
std::vector<Document> list_indexes();
std::vector<Document> vector_pipeline(const VectorQuery& query);
// In the search index. Another may be searched with text_pipeline() above.
std::vector<Document> text_pipeline(const TextQuery& query);
inline double cosine(double score) { return 2 * score - 1; }

}  // namespace atlas

}  // namespace maas::ltm
