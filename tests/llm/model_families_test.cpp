#include "llm/model_families.hpp"

#include <gtest/gtest.h>

namespace maas::llm {
namespace {

TEST(ModelFamilies, HaveThePrefixesOfTheirCards) {
  EXPECT_EQ(prefix_of("intfloat/E5-large-v2", TextKind::query), "query: ");
  EXPECT_EQ(prefix_of("intfloat/multilingual-e5-small", TextKind::document), "passage: ");
  EXPECT_EQ(prefix_of("BAAI/bge-small-en-v1.5", TextKind::query),
            "Represent this sentence for searching relevant passages: ");
  EXPECT_EQ(prefix_of("BAAI/bge-small-en-v1.5", TextKind::document), "");
  EXPECT_EQ(prefix_of("BAAI/bge-m3", TextKind::query), "");
  EXPECT_EQ(prefix_of("BAAI/bge-large-zh", TextKind::query), "");
  EXPECT_EQ(prefix_of("BAAI/bge-large-zh-v1.5", TextKind::query), "");
  EXPECT_EQ(prefix_of("mxbai-embed-large", TextKind::query),
            "Represent this sentence for searching relevant passages: ");
  EXPECT_EQ(prefix_of("mxbai-embed-large", TextKind::document), "");
  EXPECT_EQ(prefix_of("Snowflake/snowflake-arctic-embed-m-v1.5", TextKind::query),
            "Represent this sentence for searching relevant passages: ");
  EXPECT_EQ(prefix_of("snowflake-arctic-embed2", TextKind::query), "query: ");
  EXPECT_EQ(prefix_of("Snowflake/snowflake-arctic-embed-l-v2.0", TextKind::query), "query: ");
  EXPECT_EQ(prefix_of("intfloat/e5-mistral-7b-instruct", TextKind::document), "");
  EXPECT_EQ(prefix_of("nomic-embed-text:v1.5", TextKind::document), "search_document: ");
  EXPECT_EQ(prefix_of("text-embedding-3-small", TextKind::query), "");
}

TEST(ModelFamilies, PoolAsTheirCardsSay) {
  for (const char* model : {"BAAI/BGE-small-en-v1.5", "bge-m3", "WhereIsAI/UAE-Large-V1",
                            "mxbai-embed-large", "snowflake-arctic-embed2"}) {
    EXPECT_TRUE(pools_first_token(model)) << model;
  }
  for (const char* model : {"intfloat/e5-small", "all-MiniLM-L6-v2", "nomic-embed-text", ""}) {
    EXPECT_FALSE(pools_first_token(model)) << model;
  }
}

}  // namespace
}  // namespace maas::llm
