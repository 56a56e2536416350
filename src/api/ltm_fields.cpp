#include "api/ltm_fields.hpp"

#include "api/filter_fields.hpp"
#include "api/json_body.hpp"
#include "api/list_cursor.hpp"
#include "ltm/memory_text.hpp"

#include <array>

namespace maas::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kDefaultLimit = 100;
constexpr IntegerRange kLimit{.least = 0, .most = 1000};
constexpr IntegerRange kTtl{.least = 0, .most = 3'153'600'000};  // a hundred years
constexpr NumberRange kShare{.above = {}, .least = 0, .most = 1};
constexpr NumberRange kPositive{.above = 0, .least = {}, .most = {}};
constexpr double kWeightWithHalfLife = .5;
// Metadata is stored with every message of its request: this bounds what one request can make.
constexpr std::size_t kMaxMetadataBytes = 32u << 20;
// Where these belong is beside the metadata; a filter or a client of old would take them for that.
constexpr std::array<std::string_view, 6> kReserved{"user_id", "agent_id", "session_id",
                                                    "run_id",  "category", "expires_at"};
constexpr std::string_view kNoScope =
    "At least one of user_id, agent_id, or session_id must be provided";

constexpr std::initializer_list<Category> kCategories{Category::semantic, Category::episodic,
                                                      Category::fact, Category::preference};

std::optional<Category> read_category(Fields& fields) {
  return fields.optional_choice("category", category_from, kCategories);
}

bool is_given(const Scope& scope) {
  return !scope.user_id.empty() || !scope.agent_id.empty() || !scope.session_id.empty();
}

// `before`: the errors that there were before the ids were read; one of theirs is enough.
void check_scope(const Scope& scope, std::size_t before, const json::array& location,
                 const json::value& input, FieldErrors& errors) {
  if (is_given(scope) || errors.all().size() > before) return;
  errors.add_value_error(location, std::string(kNoScope), input);
}

Scope read_scope(Fields& fields) {
  const std::size_t before = fields.errors().all().size();
  Scope scope{.user_id = fields.id("user_id"),
              .agent_id = fields.id("agent_id"),
              .session_id = fields.id("session_id")};
  if (fields.is_object()) {
    check_scope(scope, before, fields.location(), fields.whole(), fields.errors());
  }
  return scope;
}

std::string read_metadata(Fields& fields) {
  std::string text = fields.object_text("metadata");
  if (text.empty()) return {};
  const json::object& metadata = fields.value("metadata")->get_object();
  for (const std::string_view key : kReserved) {
    const json::value* value = metadata.if_contains(key);
    if (!value) continue;
    json::array location = fields.at("metadata");
    location.emplace_back(key);
    fields.errors().add_value_error(
        std::move(location), "the key is reserved; it may stand beside the metadata, not in it",
        *value);
  }
  return metadata.empty() ? std::string() : text;
}

// The texts of OpenAI content parts, each on lines of its own; other parts hold none.
std::string read_parts(const json::array& parts, const json::array& location, FieldErrors& errors) {
  std::string content;
  bool first = true;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    json::array place = location;
    place.push_back(i);
    Fields part(parts[i], std::move(place), errors);
    if (part.string("type") != "text") continue;
    if (!first) content += '\n';
    first = false;
    content += part.string("text");
  }
  return content;
}

std::string read_content(Fields& message) {
  const json::value* content = message.require("content");
  if (!content) return {};
  if (content->is_string()) return std::string(content->get_string());
  if (content->is_array()) {
    return read_parts(content->get_array(), message.at("content"), message.errors());
  }
  message.errors().add(
      {"string_type", message.at("content"), "Input should be a valid string", *content});
  return {};
}

ltm::SaidMessage read_message(Fields& message) {
  std::string role = message.string("role");
  const json::value* given = message.value("role");
  if (role.empty() && given && given->is_string()) {
    message.errors().add({"string_too_short", message.at("role"),
                          "String should have at least 1 character", *given,
                          json::object{{"min_length", 1}}});
  }
  return {.role = std::move(role),
          .name = message.optional_string("name").value_or(""),
          .content = read_content(message)};
}

// A text is what the user said.
std::vector<ltm::SaidMessage> read_messages(Fields& fields) {
  const json::value* messages = fields.require("messages");
  if (messages && messages->is_string()) {
    std::vector<ltm::SaidMessage> said;
    said.push_back({.role = "user", .name = {}, .content = std::string(messages->get_string())});
    return said;
  }
  return fields.list("messages", read_message);
}

// ISO 8601, or seconds since the epoch.
std::optional<Timestamp> read_time(Fields& fields, std::string_view name) {
  const json::value* value = fields.value(name);
  if (!value) return std::nullopt;
  if (const auto time = to_time(*value)) return time;
  fields.errors().add_value_error(
      fields.at(name), "a time is ISO 8601 text or seconds since the epoch, in the years 1 to 9999",
      *value);
  return std::nullopt;
}

std::vector<Category> read_categories(Fields& fields) {
  std::vector<Category> categories;
  const json::value* value = fields.value("categories");
  if (!value) return categories;
  if (!value->is_array()) {
    fields.errors().add(
        {"list_type", fields.at("categories"), "Input should be a valid list", *value});
    return categories;
  }
  const json::array& names = value->get_array();
  for (std::size_t i = 0; i < names.size(); ++i) {
    json::array location = fields.at("categories");
    location.push_back(i);
    const auto category =
        choice_of(location, names[i], category_from, kCategories, fields.errors());
    if (category) categories.push_back(*category);
  }
  return categories;
}

ltm::Recency read_recency(Fields& fields) {
  ltm::Recency recency;
  const auto half_life = fields.number("recency_half_life_days", kPositive);
  if (half_life) {
    recency.half_life_days = *half_life;
    recency.weight = kWeightWithHalfLife;
  }
  recency.weight = fields.number("recency_weight", kShare).value_or(recency.weight);
  return recency;
}

FieldError too_many(const json::array& location, const json::value& input, std::size_t count,
                    std::size_t most) {
  return {"too_long", location,
          "List should have at most " + std::to_string(most) + " items after validation, not " +
              std::to_string(count),
          input,
          json::object{{"field_type", "List"}, {"max_length", most}, {"actual_length", count}}};
}

void check_not_blank(const std::string& text, Fields& fields, std::string_view name) {
  const json::value* value = fields.value(name);
  if (!value || !value->is_string() || !ltm::is_blank(text)) return;
  fields.errors().add_value_error(fields.at(name), "the text is blank", *value);
}

}  // namespace

ltm::AddRequest read_add(const json::value& body, const LtmLimits& limits, FieldErrors& errors) {
  Fields fields(body, {"body"}, errors);
  ltm::AddRequest add;
  add.messages = read_messages(fields);
  add.scope = read_scope(fields);
  add.category = read_category(fields).value_or(Category::semantic);
  add.metadata = read_metadata(fields);
  add.ttl_seconds = fields.integer("ttl_seconds", kTtl);
  add.said_at = read_time(fields, "timestamp");
  add.infer = fields.boolean("infer");
  if (add.infer.value_or(false) && !limits.can_infer) {
    errors.add_value_error(fields.at("infer"),
                           "infer needs an LLM and none is configured (LLM_PROVIDER, LLM_API_KEY); "
                           "leave it out or send false to keep the messages as they are",
                           true);
  }
  if (add.messages.size() > limits.messages) {
    // The list itself would make the reply as large as the request.
    errors.add(too_many(fields.at("messages"), nullptr, add.messages.size(), limits.messages));
  } else if (add.messages.size() * add.metadata.size() > kMaxMetadataBytes) {
    errors.add_value_error(fields.at("metadata"),
                           "it is stored with every message, which makes more than 32 MiB",
                           nullptr);
  }
  return add;
}

ltm::SearchRequest read_search(const json::value& body, const LtmLimits& limits,
                               FieldErrors& errors) {
  Fields fields(body, {"body"}, errors);
  ltm::SearchRequest search;
  search.query.text = fields.string("query");
  check_not_blank(search.query.text, fields, "query");
  search.scope = read_scope(fields);
  search.query.categories = read_categories(fields);
  search.query.limit =
      static_cast<std::size_t>(fields.integer("limit", kLimit).value_or(kDefaultLimit));
  search.query.threshold = fields.number("threshold", kShare).value_or(0);
  if (const json::value* filter = fields.value("filters")) {
    search.query.filter =
        read_filter(*filter, fields.at("filters"), limits.filter_conditions, errors);
  }
  search.query.explain = fields.boolean("explain").value_or(false);
  search.query.recency = read_recency(fields);
  return search;
}

ltm::UpdateRequest read_update(std::string id, const json::value& body, FieldErrors& errors) {
  Fields fields(body, {"body"}, errors);
  ltm::UpdateRequest update{.id = std::move(id),
                            .text = fields.string("data"),
                            .metadata = {},
                            .category = {},
                            .ttl_seconds = {}};
  check_not_blank(update.text, fields, "data");
  std::string metadata = read_metadata(fields);
  if (fields.value("metadata")) update.metadata = std::move(metadata);
  update.category = read_category(fields);
  update.ttl_seconds = fields.integer("ttl_seconds", kTtl);
  return update;
}

Scope scope_parameters(const http::Request& request, FieldErrors& errors) {
  const std::size_t before = errors.all().size();
  const auto id = [&](std::string_view name) {
    std::string text = text_parameter(request, name, errors);
    check_id(text, {"query", name}, errors);
    return text;
  };
  Scope scope{.user_id = id("user_id"), .agent_id = id("agent_id"), .session_id = id("session_id")};
  check_scope(scope, before, {"query"}, nullptr, errors);
  return scope;
}

ltm::ListQuery list_parameters(const http::Request& request, const LtmLimits& limits,
                               FieldErrors& errors) {
  ltm::ListQuery query;
  const auto limit = integer_parameter(request, "limit", errors);
  if (limit) {
    const json::string input(*request.query_parameter("limit"));
    query.limit = static_cast<std::size_t>(
        within(limit, kLimit, {"query", "limit"}, input, errors).value_or(0));
  }
  if (request.query_parameter("category")) {
    const json::string name(text_parameter(request, "category", errors));
    query.category = choice_of({"query", "category"}, name, category_from, kCategories, errors);
  }
  if (const std::string cursor = text_parameter(request, "cursor", errors); !cursor.empty()) {
    query.after = from_cursor(cursor);
    if (!query.after) {
      errors.add_value_error({"query", "cursor"}, "it is no next_cursor of a listing",
                             json::string(cursor));
    }
  }
  if (const std::string text = text_parameter(request, "filters", errors); !text.empty()) {
    const json::array location{"query", "filters"};
    try {
      query.filter = read_filter(parse_json(text), location, limits.filter_conditions, errors);
    } catch (const JsonSyntaxError& error) {
      errors.add({"json_invalid", location,
                  "Invalid JSON: " + std::string(error.what()) + " at offset " +
                      std::to_string(error.offset()),
                  json::string(text), json::object{{"error", error.what()}}});
    }
  }
  return query;
}

void check_size(const std::vector<ltm::AddRequest>& requests, const LtmLimits& limits,
                const json::array& location, const json::value& input, FieldErrors& errors) {
  std::size_t messages = 0;
  std::size_t bytes = 0;
  for (const ltm::AddRequest& request : requests) {
    messages += request.messages.size();
    bytes += request.messages.size() * request.metadata.size();
  }
  if (messages > limits.messages) {
    errors.add_value_error(location,
                           "a batch may hold " + std::to_string(limits.messages) +
                               " messages in all, not " + std::to_string(messages),
                           input);
  } else if (bytes > kMaxMetadataBytes) {
    errors.add_value_error(
        location, "metadata is stored with every message, which makes more than 32 MiB", input);
  }
}

}  // namespace maas::api
