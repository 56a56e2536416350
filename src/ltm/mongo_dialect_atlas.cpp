#include "ltm/mongo_dialect.hpp"

#include <algorithm>

namespace maas::ltm::atlas {
namespace {

// Of an index: how many it looks at for each that it gives, as MongoDB's manual advises.
constexpr std::size_t kCandidates = 20;
constexpr std::size_t kMostCandidates = 10'000;

Document create(const std::string& collection, std::string_view name, std::string_view type,
                const Document& definition) {
  Document index, command;
  index.set("name", name).set("type", type).set("definition", definition);
  const Document indexes[] = {std::move(index)};
  command.set("createSearchIndexes", collection);
  command.set("indexes", std::span<const Document>(indexes));
  return command;
}

Document id_and(std::string_view meta) {
  Document score, fields, project;
  fields.set("_id", 0).set("id", 1).set("score", score.set("$meta", meta));
  return std::move(project.set("$project", fields));
}

}  // namespace

Document create_vector_index(const std::string& collection, std::size_t dims) {
  std::vector<Document> fields;
  Document vector;
  vector.set("type", "vector").set("path", "embedding");
  vector.set("numDimensions", static_cast<int>(dims)).set("similarity", "cosine");
  fields.push_back(std::move(vector));
  for (const std::string_view path : kFilterPaths) {
    Document filter;
    fields.push_back(std::move(filter.set("type", "filter").set("path", path)));
  }
  Document definition;
  definition.set("fields", std::span<const Document>(fields));
  return create(collection, kVectorIndex, "vectorSearch", definition);
}

Document create_text_index(const std::string& collection) {
  Document fields, text, mappings, definition;
  fields.set("text", text.set("type", "string"));
  for (const std::string_view path : kTextFilterPaths) {
    Document token;
    fields.set(path, token.set("type", "token"));
  }
  mappings.set("dynamic", false).set("fields", fields);
  return create(collection, kTextIndex, "search", definition.set("mappings", mappings));
}

std::vector<Document> list_indexes() {
  Document list;
  std::vector<Document> stages;
  stages.push_back(std::move(list.set("$listSearchIndexes", Document())));
  return stages;
}

std::vector<Document> vector_pipeline(const VectorQuery& query) {
  Document search, first;
  search.set("index", kVectorIndex).set("path", "embedding").set("queryVector", query.vector);
  search.set("limit", static_cast<int>(query.limit));
  if (query.exact) {
    search.set("exact", true);
  } else {
    search.set("numCandidates", static_cast<int>(std::clamp(kCandidates * query.limit, query.limit,
                                                            kMostCandidates)));
  }
  search.set("filter", query.filter);
  std::vector<Document> stages;
  stages.push_back(std::move(first.set("$vectorSearch", search)));
  stages.push_back(id_and("vectorSearchScore"));
  return stages;
}

std::vector<Document> text_pipeline(const TextQuery& query) {
  std::vector<Document> filters;
  for (const auto& [path, value] : query.filter) {
    Document equals, filter;
    equals.set("path", path).set("value", value);
    filters.push_back(std::move(filter.set("equals", equals)));
  }
  Document words, text;
  words.set("query", query.words).set("path", "text");
  const Document must[] = {std::move(text.set("text", words))};
  Document compound, search, first, limit;
  compound.set("must", std::span<const Document>(must));
  compound.set("filter", std::span<const Document>(filters));
  search.set("index", kTextIndex).set("compound", compound);
  std::vector<Document> stages;
  stages.push_back(std::move(first.set("$search", search)));
  stages.push_back(std::move(limit.set("$limit", static_cast<int>(query.limit))));
  stages.push_back(id_and("searchScore"));
  return stages;
}

}  // namespace maas::ltm::atlas
