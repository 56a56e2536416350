#include "llm/embedding_prefixes.hpp"

#include <gtest/gtest.h>

namespace maas::llm {
namespace {

TEST(EmbeddingPrefix, IsWhatTheModelsCardSays) {
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

}  // namespace
}  // namespace maas::llm
