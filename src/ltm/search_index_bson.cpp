#include "ltm/search_index_bson.hpp"

#include "ltm/mongo_dialect.hpp"

#include <bson/bson.h>

namespace maas::ltm {
namespace {

// A field at a path of keys with dots between them.
bool find(const bson_t* document, const char* path, bson_iter_t* found) {
  bson_iter_t begin;
  return bson_iter_init(&begin, document) && bson_iter_find_descendant(&begin, path, found);
}

std::string text_at(const bson_t* document, const char* path) {
  bson_iter_t field;
  if (!find(document, path, &field) || !BSON_ITER_HOLDS_UTF8(&field)) return {};
  std::uint32_t size = 0;
  const char* text = bson_iter_utf8(&field, &size);
  return {text, size};
}

std::int64_t number_at(const bson_t* document, const char* path) {
  bson_iter_t field;
  return find(document, path, &field) ? bson_iter_as_int64(&field) : 0;
}

void read_fields(const bson_t* listed, AtlasIndexes& indexes) {
  bson_iter_t fields, field;
  if (!find(listed, "latestDefinition.fields", &fields) || !bson_iter_recurse(&fields, &field)) {
    return;
  }
  while (bson_iter_next(&field)) {
    const std::uint8_t* bytes = nullptr;
    std::uint32_t size = 0;
    if (!BSON_ITER_HOLDS_DOCUMENT(&field)) continue;
    bson_iter_document(&field, &size, &bytes);
    bson_t one;
    if (!bson_init_static(&one, bytes, size)) continue;
    if (text_at(&one, "type") == "filter") {
      indexes.filter_paths.push_back(text_at(&one, "path"));
    } else if (text_at(&one, "path") == "embedding") {
      indexes.vectors->dims = number_at(&one, "numDimensions");
      indexes.vectors->similarity = text_at(&one, "similarity");
    }
  }
}

}  // namespace

void read_atlas_index(const _bson_t* listed, AtlasIndexes& indexes) {
  bson_iter_t queryable;
  const bool is_queryable = find(listed, "queryable", &queryable) && bson_iter_as_bool(&queryable);
  const std::string name = text_at(listed, "name");
  if (name == kVectorIndex) {
    indexes.vectors.emplace();
    indexes.vectors->status = text_at(listed, "status");
    indexes.vectors->is_queryable = is_queryable;
    read_fields(listed, indexes);
  } else if (name == kTextIndex) {
    indexes.has_words = true;
    indexes.words_are_queryable = is_queryable;
  }
}

std::optional<VectorIndex> documentdb_index(const _bson_t* listed) {
  if (text_at(listed, "name") != kVectorIndex) return std::nullopt;
  VectorIndex index;
  // Releases differ in the name.
  for (const std::string key : {"cosmosSearchOptions", "cosmosSearch"}) {
    bson_iter_t options;
    if (!find(listed, key.c_str(), &options)) continue;
    index.dims = number_at(listed, (key + ".dimensions").c_str());
    index.similarity = text_at(listed, (key + ".similarity").c_str());
    index.kind = text_at(listed, (key + ".kind").c_str());
  }
  return index;
}

}  // namespace maas::ltm
