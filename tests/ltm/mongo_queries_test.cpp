#include "ltm/mongo_queries.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace maas::ltm {
namespace {

using namespace std::chrono_literals;
using Field = Filter::Field;
using Kind = Filter::Kind;
using Operator = Filter::Operator;

const Timestamp kNow{100us};

Filter compare(Field field, Operator op, boost::json::value operand, std::string key = {}) {
  Filter filter;
  filter.kind = Kind::compare;
  filter.field = field;
  filter.op = op;
  filter.operand = std::move(operand);
  filter.key = std::move(key);
  return filter;
}

Filter group(Kind kind, std::vector<Filter> parts) {
  Filter filter;
  filter.kind = kind;
  filter.parts = std::move(parts);
  return filter;
}

const Filter kFact = compare(Field::category, Operator::eq, "fact");
const Filter kLate = compare(Field::created_at, Operator::gt, 5);
const Filter kTagged = compare(Field::metadata, Operator::eq, 1, "tag");

TEST(MongoQueries, AsksForTheIdsThatAScopeGives) {
  EXPECT_EQ(scope_filter("t", {.user_id = "u"}).json(), R"({ "tenant" : "t", "user_id" : "u" })");
  EXPECT_EQ(scope_filter("t", {"u", "a", "s"}).json(),
            R"({ "tenant" : "t", "user_id" : "u", "agent_id" : "a", "session_id" : "s" })");
}

TEST(MongoQueries, TakesIdsAsTheyAreWhateverTheyHold) {
  EXPECT_EQ(scope_filter("t", {.user_id = "$ne"}).json(),
            R"({ "tenant" : "t", "user_id" : "$ne" })");
}

TEST(MongoQueries, HidesWhatHasExpiredAndNotWhatNeverDoes) {
  EXPECT_EQ(visible({}, kNow).json(), R"({ "expires_at" : { "$gt" : 100 } })");
}

TEST(MongoQueries, GoesOnBehindAPosition) {
  ListQuery query;
  query.category = Category::fact;
  query.after = ListPosition{Timestamp(50us), 7};
  EXPECT_EQ(list_filter("t", {.user_id = "u"}, query, kNow).json(),
            R"({ "tenant" : "t", "user_id" : "u", "expires_at" : { "$gt" : 100 }, )"
            R"("category" : "fact", "$and" : [ { "created_at" : { "$lte" : 50 } }, )"
            R"({ "$or" : [ { "created_at" : { "$lt" : 50 } }, )"
            R"({ "created_at" : 50, "sequence" : { "$lt" : 7 } } ] } ] })");
}

TEST(MongoQueries, ListsTheNewestFirstWithoutVectors) {
  EXPECT_EQ(newest_first(3).json(),
            R"({ "projection" : { "embedding" : 0 }, )"
            R"("sort" : { "created_at" : -1, "sequence" : -1 }, "limit" : 3 })");
  EXPECT_EQ(newest_first(0).json().find("limit"), std::string::npos);
}

TEST(MongoQueries, SaysOfAFilterWhatMeansTheSame) {
  EXPECT_EQ(filter_of(kFact).json(), R"({ "category" : { "$eq" : "fact" } })");
  EXPECT_EQ(filter_of(compare(Field::updated_at, Operator::lte, 9)).json(),
            R"({ "updated_at" : { "$lte" : 9 } })");
  EXPECT_EQ(
      filter_of(group(Kind::any_of, {kFact, kLate})).json(),
      R"({ "$or" : [ { "category" : { "$eq" : "fact" } }, { "created_at" : { "$gt" : 5 } } ] })");
  EXPECT_EQ(
      filter_of(group(Kind::none_of, {kFact, kLate})).json(),
      R"({ "$nor" : [ { "category" : { "$eq" : "fact" } }, { "created_at" : { "$gt" : 5 } } ] })");
}

// Each would lose memories that matches() finds, or find none, were more of it said.
TEST(MongoQueries, LeavesToTheServiceWhatMongoDbMeansOtherwise) {
  for (const Filter& filter :
       {kTagged, compare(Field::memory, Operator::contains, "tea"),
        compare(Field::category, Operator::gt, "fact"), compare(Field::category, Operator::eq, 1),
        compare(Field::category, Operator::in, boost::json::array{"fact"}),
        compare(Field::created_at, Operator::eq, nullptr),
        compare(Field::created_at, Operator::gt, 1.5), group(Kind::any_of, {kFact, kTagged}),
        group(Kind::none_of, {kFact, kTagged}),
        group(Kind::none_of, {group(Kind::all_of, {kFact, kTagged})}), group(Kind::all_of, {}),
        group(Kind::any_of, {}), group(Kind::none_of, {})}) {
    EXPECT_TRUE(filter_of(filter).empty()) << filter_of(filter).json();
  }
}

TEST(MongoQueries, SaysAPartOfWhatMustAllBeTrue) {
  EXPECT_EQ(filter_of(group(Kind::all_of, {kTagged, kFact})).json(),
            R"({ "$and" : [ { "category" : { "$eq" : "fact" } } ] })");
  EXPECT_EQ(filter_of(group(Kind::any_of, {kLate, group(Kind::all_of, {kTagged, kFact})})).json(),
            R"({ "$or" : [ { "created_at" : { "$gt" : 5 } }, )"
            R"({ "$and" : [ { "category" : { "$eq" : "fact" } } ] } ] })");
}

TEST(MongoQueries, AsksForWhatHappenedSince) {
  const OwnerChange known[] = {{"1:t1:u0:0:", 3}, {"1:t1:v0:0:", 0}};
  const std::string changes = R"("$or" : [ { "owner" : "1:t1:u0:0:", "change" : { "$gt" : 3 } }, )"
                              R"({ "owner" : "1:t1:v0:0:", "change" : { "$gt" : 0 } } ])";
  EXPECT_EQ(changes_filter(known).json(), "{ " + changes + " }");
  EXPECT_EQ(changes_filter(std::span(known).first(1)).json(),
            R"({ "owner" : "1:t1:u0:0:", "change" : { "$gt" : 3 } })");
  EXPECT_EQ(removals_filter(known).json(), "{ " + changes + R"(, "event" : "DELETE" })");
}

TEST(MongoQueries, AsksForWhatWaits) {
  const std::string visible = R"(, "expires_at" : { "$gt" : 100 } })";
  EXPECT_EQ(waiting_filter(Waiting::vector, "m", 9, kNow).json(),
            R"({ "sequence" : { "$gt" : 9 }, "model" : { "$ne" : "m" })" + visible);
  EXPECT_EQ(waiting_filter(Waiting::extraction, "m", 9, kNow).json(),
            R"({ "sequence" : { "$gt" : 9 }, "unprocessed" : true)" + visible);
}

}  // namespace
}  // namespace maas::ltm
