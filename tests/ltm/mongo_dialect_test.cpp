// The commands and pipelines as whole documents, in the forms that the engines were measured with.
#include "ltm/mongo_dialect.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace maas::ltm {
namespace {

const std::vector<float> kVector{.5f, -1};

VectorQuery query(bool exact) {
  VectorQuery query{.vector = kVector, .limit = 100, .exact = exact};
  query.filter.set("tenant", "t").set("user_id", "u");
  return query;
}

TextQuery words() {
  return {.words = "green tea", .filter = {{"tenant", "t"}, {"user_id", "u"}}, .limit = 7};
}

// The stages as one text.
std::string json(const std::vector<Document>& stages) {
  std::string text;
  for (const Document& stage : stages) text += stage.json() + "\n";
  return text;
}

const std::string kPathsOfFilters = [] {
  std::string text;
  for (const std::string_view path : kFilterPaths) {
    text += R"(, { "name" : ")" + std::string(path) + R"(_1", "key" : { ")" + std::string(path) +
            R"(" : 1 } })";
  }
  return text;
}();

TEST(MongoDialect, FindsWordsInAnOrdinaryTextIndex) {
  EXPECT_EQ(create_text_index("memories", "english").json(),
            R"({ "createIndexes" : "memories", "indexes" : [ { "name" : "maas_text", )"
            R"("key" : { "text" : "text" }, "default_language" : "english" } ] })");
  EXPECT_EQ(json(text_pipeline(words())),
            R"({ "$match" : { "$text" : { "$search" : "green tea" }, "tenant" : "t", )"
            R"("user_id" : "u" } })"
            "\n"
            R"({ "$project" : { "_id" : 0, "id" : 1, "score" : { "$meta" : "textScore" } } })"
            "\n"
            R"({ "$sort" : { "score" : -1 } })"
            "\n"
            R"({ "$limit" : 7 })"
            "\n");
}

TEST(DocumentDbDialect, MakesAVectorIndexWithOneForEveryPathOfAFilter) {
  EXPECT_EQ(documentdb::create_vector_index("memories", documentdb::IndexKind::hnsw, 384).json(),
            R"({ "createIndexes" : "memories", "indexes" : [ { "name" : "maas_vector", )"
            R"("key" : { "embedding" : "cosmosSearch" }, "cosmosSearchOptions" : { )"
            R"("kind" : "vector-hnsw", "similarity" : "COS", "dimensions" : 384, "m" : 16, )"
            R"("efConstruction" : 64 } })" +
                kPathsOfFilters + " ] }");
}

TEST(DocumentDbDialect, GivesEachKindOfIndexItsOwnOptions) {
  using documentdb::IndexKind;
  const auto options = [](IndexKind kind, std::size_t dims) {
    const std::string text = documentdb::create_vector_index("c", kind, dims).json();
    const std::size_t begin = text.find("{ \"kind\"");
    return text.substr(begin, text.find('}', begin) - begin);
  };
  EXPECT_EQ(options(IndexKind::ivf, 2),
            R"({ "kind" : "vector-ivf", "similarity" : "COS", "dimensions" : 2, "numLists" : 1 )");
  EXPECT_EQ(options(IndexKind::diskann, 2),
            R"({ "kind" : "vector-diskann", "similarity" : "COS", "dimensions" : 2, )"
            R"("maxDegree" : 32, "lBuild" : 64 )");
  EXPECT_EQ(options(IndexKind::ivf, 3072),
            R"({ "kind" : "vector-ivf", "similarity" : "COS", "dimensions" : 3072, )"
            R"("numLists" : 1, "compression" : "half" )");
}

TEST(DocumentDbDialect, ComparesEveryVectorThatTheFilterLetsThrough) {
  EXPECT_EQ(json(documentdb::vector_pipeline(query(true))),
            R"({ "$search" : { "cosmosSearch" : { "vector" : [ 0.5, -1.0 ], )"
            R"("path" : "embedding", "k" : 100, "exact" : true, )"
            R"("filter" : { "tenant" : "t", "user_id" : "u" } } } })"
            "\n"
            R"({ "$set" : { "score" : { "$meta" : "searchScore" } } })"
            "\n"
            R"({ "$project" : { "_id" : 0, "id" : 1, "score" : 1 } })"
            "\n");
  EXPECT_EQ(documentdb::cosine(-.25), -.25);
}

TEST(DocumentDbDialect, LooksAtMoreThanItGivesInAnIndex) {
  const auto effort = [](std::size_t limit) {
    VectorQuery in_index = query(false);
    in_index.limit = limit;
    const std::string text = json(documentdb::vector_pipeline(in_index));
    EXPECT_EQ(text.find("exact"), std::string::npos);
    return text.substr(text.find("\"k\""), text.find(", \"filter\"") - text.find("\"k\""));
  };
  EXPECT_EQ(effort(100), R"("k" : 100, "efSearch" : 400)");
  EXPECT_EQ(effort(600), R"("k" : 600, "efSearch" : 1000)");
}

TEST(AtlasDialect, MakesAVectorIndexThatCanBeFiltered) {
  std::string paths;
  for (const std::string_view path : kFilterPaths) {
    paths += R"(, { "type" : "filter", "path" : ")" + std::string(path) + R"(" })";
  }
  EXPECT_EQ(atlas::create_vector_index("memories", 1536).json(),
            R"({ "createSearchIndexes" : "memories", "indexes" : [ { "name" : "maas_vector", )"
            R"("type" : "vectorSearch", "definition" : { "fields" : [ { "type" : "vector", )"
            R"("path" : "embedding", "numDimensions" : 1536, "similarity" : "cosine" })" +
                paths + " ] } } ] }");
}

TEST(AtlasDialect, ComparesEveryVectorOrLooksAtTwentyForEach) {
  EXPECT_EQ(
      json(atlas::vector_pipeline(query(true))),
      R"({ "$vectorSearch" : { "index" : "maas_vector", "path" : "embedding", )"
      R"("queryVector" : [ 0.5, -1.0 ], "limit" : 100, "exact" : true, )"
      R"("filter" : { "tenant" : "t", "user_id" : "u" } } })"
      "\n"
      R"({ "$project" : { "_id" : 0, "id" : 1, "score" : { "$meta" : "vectorSearchScore" } } })"
      "\n");
  EXPECT_NE(json(atlas::vector_pipeline(query(false)))
                .find(R"("limit" : 100, "numCandidates" : 2000, "filter")"),
            std::string::npos);
  EXPECT_EQ(atlas::cosine(1), 1);
  EXPECT_EQ(atlas::cosine(.25), -.5);
}

TEST(AtlasDialect, FindsWordsInASearchIndexWithinAScope) {
  EXPECT_EQ(atlas::create_text_index("memories").json(),
            R"({ "createSearchIndexes" : "memories", "indexes" : [ { "name" : "maas_text", )"
            R"("type" : "search", "definition" : { "mappings" : { "dynamic" : false, "fields" : { )"
            R"("text" : { "type" : "string" }, "tenant" : { "type" : "token" }, )"
            R"("user_id" : { "type" : "token" }, "agent_id" : { "type" : "token" }, )"
            R"("session_id" : { "type" : "token" } } } } } ] })");
  EXPECT_EQ(json(atlas::text_pipeline(words())),
            R"({ "$search" : { "index" : "maas_text", "compound" : { "must" : [ { "text" : { )"
            R"("query" : "green tea", "path" : "text" } } ], "filter" : [ { "equals" : { )"
            R"("path" : "tenant", "value" : "t" } }, { "equals" : { "path" : "user_id", )"
            R"("value" : "u" } } ] } } })"
            "\n"
            R"({ "$limit" : 7 })"
            "\n"
            R"({ "$project" : { "_id" : 0, "id" : 1, "score" : { "$meta" : "searchScore" } } })"
            "\n");
  EXPECT_EQ(json(atlas::list_indexes()), "{ \"$listSearchIndexes\" : {  } }\n");
}

}  // namespace
}  // namespace maas::ltm
