#include "api/ltm_fields.hpp"

#include "api/list_cursor.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace maas::api {
namespace {

namespace json = boost::json;
using std::chrono::microseconds;
using std::chrono::seconds;

constexpr LtmLimits kLimits{.batch_size = 5, .messages = 3, .filter_conditions = 10};

// What is wrong, as "place: type", in order.
std::string told(const FieldErrors& errors) {
  std::string text;
  for (const FieldError& error : errors.all()) {
    text += json::serialize(error.location) + ": " + error.type + "\n";
  }
  return text;
}

std::string add_errors(const char* body) {
  FieldErrors errors;
  read_add(json::parse(body), kLimits, errors);
  return told(errors);
}

ltm::AddRequest add(const char* body) {
  FieldErrors errors;
  ltm::AddRequest request = read_add(json::parse(body), kLimits, errors);
  EXPECT_EQ(told(errors), "") << body;
  return request;
}

std::string search_errors(const char* body) {
  FieldErrors errors;
  read_search(json::parse(body), kLimits, errors);
  return told(errors);
}

ltm::SearchRequest search(const char* body) {
  FieldErrors errors;
  ltm::SearchRequest request = read_search(json::parse(body), kLimits, errors);
  EXPECT_EQ(told(errors), "") << body;
  return request;
}

std::string update_errors(const char* body) {
  FieldErrors errors;
  read_update("id", json::parse(body), errors);
  return told(errors);
}

ltm::UpdateRequest update(const char* body) {
  FieldErrors errors;
  ltm::UpdateRequest request = read_update("id", json::parse(body), errors);
  EXPECT_EQ(told(errors), "") << body;
  return request;
}

// Add.

TEST(AddFields, TakeATextAsOneMessageOfTheUser) {
  const auto request = add(R"({"messages":"hello","user_id":"u"})");
  ASSERT_EQ(request.messages.size(), 1u);
  EXPECT_EQ(request.messages[0].role, "user");
  EXPECT_EQ(request.messages[0].content, "hello");
  EXPECT_EQ(request.scope, (Scope{.user_id = "u"}));
  EXPECT_EQ(request.category, Category::semantic);
  EXPECT_EQ(request.metadata, "");
  EXPECT_EQ(request.ttl_seconds, std::nullopt);
  EXPECT_EQ(request.said_at, std::nullopt);
}

TEST(AddFields, TakeEverything) {
  const auto request = add(R"({"messages":[{"role":"any","name":"Ada","content":"hello"}],
      "user_id":"u","agent_id":"a","session_id":"s","category":"fact","metadata":{"a":[1,null]},
      "ttl_seconds":60,"timestamp":1.5,"infer":false,"unknown":1})");
  EXPECT_EQ(request.messages[0].role, "any");
  EXPECT_EQ(request.messages[0].name, "Ada");
  EXPECT_EQ(request.scope, (Scope{.user_id = "u", .agent_id = "a", .session_id = "s"}));
  EXPECT_EQ(request.category, Category::fact);
  EXPECT_EQ(request.metadata, R"({"a":[1,null]})");
  EXPECT_EQ(request.ttl_seconds, 60);
  EXPECT_EQ(request.said_at, Timestamp(microseconds(1'500'000)));
}

TEST(AddFields, TakeNullAsAbsent) {
  const auto request = add(R"({"messages":[{"role":"r","content":"c","name":null}],"user_id":"u",
      "agent_id":null,"session_id":"","category":null,"metadata":null,"ttl_seconds":null,
      "timestamp":null,"infer":null})");
  EXPECT_EQ(request.scope, (Scope{.user_id = "u"}));
  EXPECT_EQ(request.ttl_seconds, std::nullopt);
}

TEST(AddFields, JoinTheTextsOfContentParts) {
  const auto request = add(R"({"user_id":"u","messages":[{"role":"user","content":[
      {"type":"text","text":"a"},{"type":"image_url","image_url":{}},{"type":"text","text":"b"}]},
      {"role":"user","content":[]}]})");
  EXPECT_EQ(request.messages[0].content, "a\nb");
  EXPECT_EQ(request.messages[1].content, "");
}

TEST(AddFields, TakeATimeAsTextOrSeconds) {
  const Timestamp expected{seconds(1'700'000'000)};
  EXPECT_EQ(add(R"({"messages":"m","user_id":"u","timestamp":1700000000})").said_at, expected);
  EXPECT_EQ(add(R"({"messages":"m","user_id":"u","timestamp":"2023-11-14T22:13:20Z"})").said_at,
            expected);
  EXPECT_EQ(add(R"({"messages":"m","user_id":"u","timestamp":1700000000.000001})").said_at,
            expected + microseconds(1));
  EXPECT_EQ(add(R"({"messages":"m","user_id":"u","timestamp":-1})").said_at,
            Timestamp(seconds(-1)));
}

TEST(AddFields, NameWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"user_id":"u"})", R"(["body","messages"]: missing)"},
      {R"({"user_id":"u","messages":7})", R"(["body","messages"]: list_type)"},
      {R"({"user_id":"u","messages":null})", R"(["body","messages"]: list_type)"},
      {R"({"user_id":"u","messages":[7]})", R"(["body","messages",0]: model_attributes_type)"},
      {R"({"user_id":"u","messages":[{"role":"","content":"c"}]})",
       R"(["body","messages",0,"role"]: string_too_short)"},
      {R"({"user_id":"u","messages":[{"role":"r","content":7}]})",
       R"(["body","messages",0,"content"]: string_type)"},
      {R"({"user_id":"u","messages":[{"role":"r","content":[{"type":"text"}]}]})",
       R"(["body","messages",0,"content",0,"text"]: missing)"},
      {R"({"user_id":"u","messages":[{"role":"r","content":[{}]}]})",
       R"(["body","messages",0,"content",0,"type"]: missing)"},
      {R"({"user_id":"u","messages":["a"]})", R"(["body","messages",0]: model_attributes_type)"},
      {R"({"user_id":"u","messages":[{"role":"r","content":"c","name":1}]})",
       R"(["body","messages",0,"name"]: string_type)"},
      {R"({"messages":"m"})", R"(["body"]: value_error)"},
      {R"({"messages":"m","user_id":""})", R"(["body"]: value_error)"},
      {R"({"messages":"m","user_id":7})", R"(["body","user_id"]: string_type)"},
      {R"({"messages":"m","user_id":"a\nb"})", R"(["body","user_id"]: value_error)"},
      {R"({"messages":"m","user_id":"u","category":"facts"})", R"(["body","category"]: enum)"},
      {R"({"messages":"m","user_id":"u","metadata":[]})", R"(["body","metadata"]: dict_type)"},
      {R"({"messages":"m","user_id":"u","metadata":{"run_id":1}})",
       R"(["body","metadata","run_id"]: value_error)"},
      {R"({"messages":"m","user_id":"u","ttl_seconds":-1})",
       R"(["body","ttl_seconds"]: greater_than_equal)"},
      {R"({"messages":"m","user_id":"u","ttl_seconds":9e12})",
       R"(["body","ttl_seconds"]: less_than_equal)"},
      {R"({"messages":"m","user_id":"u","ttl_seconds":1.5})",
       R"(["body","ttl_seconds"]: int_from_float)"},
      {R"({"messages":"m","user_id":"u","timestamp":"soon"})",
       R"(["body","timestamp"]: value_error)"},
      {R"({"messages":"m","user_id":"u","timestamp":"9999-12-31T23:59:59-05:00"})",
       R"(["body","timestamp"]: value_error)"},
      {R"({"messages":"m","user_id":"u","timestamp":"0001-01-01T00:00:00+05:00"})",
       R"(["body","timestamp"]: value_error)"},
      {R"({"messages":"m","user_id":"u","timestamp":true})",
       R"(["body","timestamp"]: value_error)"},
      {R"({"messages":"m","user_id":"u","timestamp":1e300})",
       R"(["body","timestamp"]: value_error)"},
      {R"({"messages":"m","user_id":"u","infer":true})", R"(["body","infer"]: value_error)"},
      {R"({"messages":"m","user_id":"u","infer":"maybe"})", R"(["body","infer"]: bool_parsing)"},
      {R"({"messages":"m","user_id":"u","infer":[]})", R"(["body","infer"]: bool_type)"},
      {R"("text")", R"(["body"]: model_attributes_type)"},
  };
  for (const auto& [body, expected] : cases) {
    EXPECT_EQ(add_errors(body), std::string(expected) + "\n") << body;
  }
}

TEST(AddFields, NameEverythingAtOnce) {
  EXPECT_EQ(add_errors(R"({"messages":[{}],"user_id":7,"category":1,"ttl_seconds":"x"})"),
            "[\"body\",\"messages\",0,\"role\"]: missing\n"
            "[\"body\",\"messages\",0,\"content\"]: missing\n"
            "[\"body\",\"user_id\"]: string_type\n"
            "[\"body\",\"category\"]: enum\n"
            "[\"body\",\"ttl_seconds\"]: int_parsing\n");
}

TEST(AddFields, AreLimitedInMessages) {
  const std::string one = R"({"role":"r","content":"c"})";
  const std::string three = one + "," + one + "," + one;
  EXPECT_EQ(add_errors((R"({"user_id":"u","messages":[)" + three + "]}").c_str()), "");
  EXPECT_EQ(add_errors((R"({"user_id":"u","messages":[)" + three + "," + one + "]}").c_str()),
            "[\"body\",\"messages\"]: too_long\n");
}

TEST(AddFields, AreLimitedInWhatTheyMakeOfMetadata) {
  const std::string large(12u << 20, 'x');
  const std::string body =
      R"({"user_id":"u","messages":[{"role":"r","content":"c"},{"role":"r","content":"c"},)"
      R"({"role":"r","content":"c"}],"metadata":{"a":")" +
      large + "\"}}";
  EXPECT_EQ(add_errors(body.c_str()), "[\"body\",\"metadata\"]: value_error\n");
}

TEST(AddFields, OfABatchAreLimitedTogether) {
  std::vector<ltm::AddRequest> requests(2);
  requests[0].messages.resize(2);
  requests[1].messages.resize(1);
  FieldErrors errors;
  check_size(requests, kLimits, {"body", "items"}, nullptr, errors);
  EXPECT_EQ(told(errors), "");
  requests[1].messages.resize(2);
  check_size(requests, kLimits, {"body", "items"}, nullptr, errors);
  EXPECT_EQ(told(errors), "[\"body\",\"items\"]: value_error\n");
}

TEST(AddFields, SayWhatIsWrongInWords) {
  FieldErrors errors;
  read_add(json::parse(R"({"messages":[{"role":"r"}],"category":"x"})"), kLimits, errors);
  EXPECT_EQ(in_words(errors),
            "messages.0.content: Field required; Value error, At least one of user_id, agent_id, "
            "or session_id must be provided; category: Input should be 'semantic', 'episodic', "
            "'fact' or 'preference'");
}

// Search.

TEST(SearchFields, HaveDefaults) {
  const auto request = search(R"({"query":"q","user_id":"u"})");
  EXPECT_EQ(request.query.text, "q");
  EXPECT_EQ(request.query.limit, 100u);
  EXPECT_EQ(request.query.threshold, 0);
  EXPECT_EQ(request.query.recency.weight, 0);
  EXPECT_TRUE(request.query.categories.empty());
  EXPECT_FALSE(request.query.filter);
  EXPECT_FALSE(request.query.explain);
}

TEST(SearchFields, TakeEverything) {
  const auto request = search(R"({"query":"q","user_id":"u","limit":0,"threshold":"0.5",
      "categories":["fact","episodic"],"explain":1,"recency_half_life_days":7,"recency_weight":1})");
  EXPECT_EQ(request.query.limit, 0u);
  EXPECT_EQ(request.query.threshold, .5);
  EXPECT_EQ(request.query.categories, (std::vector{Category::fact, Category::episodic}));
  EXPECT_TRUE(request.query.explain);
  EXPECT_EQ(request.query.recency.half_life_days, 7);
  EXPECT_EQ(request.query.recency.weight, 1);
}

TEST(SearchFields, PreferNewerOnesHalfwayWhenOnlyAHalfLifeIsGiven) {
  EXPECT_EQ(
      search(R"({"query":"q","user_id":"u","recency_half_life_days":7})").query.recency.weight, .5);
  EXPECT_EQ(search(R"({"query":"q","user_id":"u","recency_weight":0.2})").query.recency.weight, .2);
}

TEST(SearchFields, NameWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"user_id":"u"})", R"(["body","query"]: missing)"},
      {R"({"query":" \t","user_id":"u"})", R"(["body","query"]: value_error)"},
      {R"({"query":"","user_id":"u"})", R"(["body","query"]: value_error)"},
      {R"({"query":7,"user_id":"u"})", R"(["body","query"]: string_type)"},
      {R"({"query":"q"})", R"(["body"]: value_error)"},
      {R"({"query":"q","user_id":"u","limit":-1})", R"(["body","limit"]: greater_than_equal)"},
      {R"({"query":"q","user_id":"u","limit":1001})", R"(["body","limit"]: less_than_equal)"},
      {R"({"query":"q","user_id":"u","threshold":1.1})",
       R"(["body","threshold"]: less_than_equal)"},
      {R"({"query":"q","user_id":"u","threshold":"x"})", R"(["body","threshold"]: float_parsing)"},
      {R"({"query":"q","user_id":"u","threshold":"nan"})",
       R"(["body","threshold"]: float_parsing)"},
      {R"({"query":"q","user_id":"u","threshold":{}})", R"(["body","threshold"]: float_type)"},
      {R"({"query":"q","user_id":"u","categories":"fact"})", R"(["body","categories"]: list_type)"},
      {R"({"query":"q","user_id":"u","categories":["fact","x"]})",
       R"(["body","categories",1]: enum)"},
      {R"({"query":"q","user_id":"u","recency_half_life_days":0})",
       R"(["body","recency_half_life_days"]: greater_than)"},
      {R"({"query":"q","user_id":"u","recency_weight":-0.1})",
       R"(["body","recency_weight"]: greater_than_equal)"},
  };
  for (const auto& [body, expected] : cases) {
    EXPECT_EQ(search_errors(body), std::string(expected) + "\n") << body;
  }
}

// Update.

TEST(UpdateFields, LeaveWhatIsNotGiven) {
  for (const char* body :
       {R"({"data":"d"})", R"({"data":"d","metadata":null,"category":null,"ttl_seconds":null})"}) {
    const auto request = update(body);
    EXPECT_EQ(request.id, "id");
    EXPECT_EQ(request.text, "d");
    EXPECT_EQ(request.metadata, std::nullopt);
    EXPECT_EQ(request.category, std::nullopt);
    EXPECT_EQ(request.ttl_seconds, std::nullopt);
  }
}

TEST(UpdateFields, TakeEmptyMetadataAsNone) {
  EXPECT_EQ(update(R"({"data":"d","metadata":{}})").metadata, "");
  EXPECT_EQ(update(R"({"data":"d","metadata":{"a":1}})").metadata, R"({"a":1})");
}

TEST(UpdateFields, NameWhatIsWrong) {
  EXPECT_EQ(update_errors("{}"), "[\"body\",\"data\"]: missing\n");
  EXPECT_EQ(update_errors(R"({"data":" "})"), "[\"body\",\"data\"]: value_error\n");
  EXPECT_EQ(update_errors(R"({"data":"d","metadata":{"category":"fact","user_id":1}})"),
            "[\"body\",\"metadata\",\"user_id\"]: value_error\n"
            "[\"body\",\"metadata\",\"category\"]: value_error\n");
}

// The query of a URL.

class QueryFields : public testing::Test {
 protected:
  std::string list_errors() {
    FieldErrors errors;
    list_parameters(request_, kLimits, errors);
    return told(errors);
  }
  std::string scope_errors() {
    FieldErrors errors;
    scope_parameters(request_, errors);
    return told(errors);
  }
  http::Request request_;
};

TEST_F(QueryFields, NameAScope) {
  request_.query = {{"user_id", "u"}, {"agent_id", ""}, {"session_id", "s"}};
  FieldErrors errors;
  EXPECT_EQ(scope_parameters(request_, errors), (Scope{.user_id = "u", .session_id = "s"}));
  request_.query = {{"user_id", ""}};
  EXPECT_EQ(scope_errors(), "[\"query\"]: value_error\n");
  request_.query = {{"user_id", "\xff"}};
  EXPECT_EQ(scope_errors(), "[\"query\",\"user_id\"]: string_unicode\n");
  request_.query = {{"user_id", std::string(257, 'x')}};
  EXPECT_EQ(scope_errors(), "[\"query\",\"user_id\"]: string_too_long\n");
}

TEST_F(QueryFields, NameWhereAListingGoesOn) {
  const ltm::ListPosition position{.created_at = Timestamp(microseconds(-5)), .sequence = 1 << 20};
  request_.query = {{"cursor", to_cursor(position)}, {"limit", "7"}, {"category", "fact"}};
  FieldErrors errors;
  const ltm::ListQuery query = list_parameters(request_, kLimits, errors);
  ASSERT_TRUE(query.after);
  EXPECT_EQ(query.after->created_at, position.created_at);
  EXPECT_EQ(query.after->sequence, position.sequence);
  EXPECT_EQ(query.limit, 7u);
  EXPECT_EQ(query.category, Category::fact);
}

TEST_F(QueryFields, AreOptionalForAListing) {
  FieldErrors errors;
  const ltm::ListQuery query = list_parameters(request_, kLimits, errors);
  EXPECT_EQ(query.limit, 100u);
  EXPECT_FALSE(query.after || query.category || query.filter);
  EXPECT_EQ(told(errors), "");
}

TEST_F(QueryFields, OfAListingNameWhatIsWrong) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"limit", "-1", "greater_than_equal"},
      {"limit", "1001", "less_than_equal"},
      {"limit", "x", "int_parsing"},
      {"category", "x", "enum"},
      {"category", "", "enum"},
      {"cursor", "x", "value_error"},
      {"cursor", "1_", "value_error"},
      {"cursor", "_1", "value_error"},
      {"cursor", "1_1_1", "value_error"},
      {"cursor", "1_zzzzzzzzzzzzzzz", "value_error"},
      {"filters", "{", "json_invalid"},
      {"filters", "\xff", "string_unicode"},
  };
  for (const auto& [name, value, type] : cases) {
    request_.query = {{name, value}};
    EXPECT_EQ(list_errors(), "[\"query\",\"" + std::string(name) + "\"]: " + type + "\n") << value;
  }
}

}  // namespace
}  // namespace maas::api
