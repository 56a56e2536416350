#include "ltm/mongo_schema.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

namespace maas::ltm {
namespace {

const MongoTable kHistory = schema("c").at(1);

// What is told of an index that is in the way; empty: nothing is.
std::string told(const MongoIndex& present) {
  try {
    kHistory.missing(std::span(&present, 1));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable);
    return error.what();
  }
  return {};
}

TEST(MongoSchema, MakesOrdinaryIndexesAlone) {
  const std::vector<MongoTable> tables = schema("c");
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(
      create_indexes(kHistory, kHistory.indexes).json(),
      R"({ "createIndexes" : "c_history", "indexes" : [ )"
      R"({ "key" : { "tenant" : 1, "memory_id" : 1, "version" : 1 }, "name" : "of_memory" }, )"
      R"({ "key" : { "owner" : 1, "change" : 1 }, "name" : "by_change" } ] })");
  for (const MongoTable& table : tables) {
    const std::string command = create_indexes(table, table.indexes).json();
    EXPECT_EQ(command.find("expireAfterSeconds"), std::string::npos);
  }
}

TEST(MongoSchema, MissesWhatIsNotThere) {
  EXPECT_EQ(kHistory.missing({}), kHistory.indexes);
  EXPECT_TRUE(kHistory.missing(kHistory.indexes).empty());
  const MongoIndex present[] = {{"_id_", {{"_id", 1}}}, kHistory.indexes[1]};
  EXPECT_EQ(kHistory.missing(present), std::vector<MongoIndex>{kHistory.indexes[0]});
}

TEST(MongoSchema, TakesAnIndexOfAnotherNameWithTheSameKeys) {
  const MongoIndex present[] = {{"mine", kHistory.indexes[0].keys},
                                {"owner_1_change_1", kHistory.indexes[1].keys}};
  EXPECT_TRUE(kHistory.missing(present).empty());
}

TEST(MongoSchema, TellsAnIndexOfItsNameWithOtherKeys) {
  const std::string of_others = told({"by_change", {{"change", 1}, {"owner", 1}}});
  EXPECT_NE(of_others.find("The index by_change of MongoDB's collection c_history has the keys"),
            std::string::npos)
      << of_others;
  EXPECT_NE(of_others.find("drop it"), std::string::npos);
  EXPECT_FALSE(told({"by_change", {{"owner", 1}, {"change", -1}}}).empty());
}

TEST(MongoSchema, TellsAnIndexThatLeavesDocumentsOut) {
  for (const std::string property : {"unique", "sparse", "hidden", "partialFilterExpression"}) {
    const std::string of_it = told({"mine", kHistory.indexes[0].keys, property});
    EXPECT_NE(of_it.find("'" + property + "'"), std::string::npos) << of_it;
  }
}

}  // namespace
}  // namespace maas::ltm
