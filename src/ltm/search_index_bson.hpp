#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct _bson_t;

namespace maas::ltm {

// A vector index as a server tells it.
struct VectorIndex {
  std::int64_t dims = 0;
  std::string similarity = {};
  std::string kind = {};    // of DocumentDB's
  std::string status = {};  // of Atlas'
  bool is_queryable = false;
};

struct AtlasIndexes {
  std::optional<VectorIndex> vectors = {};
  std::vector<std::string> filter_paths = {};  // of that
  bool has_words = false;
  bool words_are_queryable = false;
};

// Adds what one document of $listSearchIndexes tells of an index of ours.
void read_atlas_index(const _bson_t* listed, AtlasIndexes& indexes);

// The vector index, if one document of listIndexes tells it.
std::optional<VectorIndex> documentdb_index(const _bson_t* listed);

}  // namespace maas::ltm
