#include "ltm/mongo_monitor.hpp"

#include "trace/attributes.hpp"
#include "trace/database_call.hpp"

#include <algorithm>
#include <array>
#include <mongoc/mongoc.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace maas::ltm {
namespace {

// What the driver sends for itself, to greet servers and to sign in, is nobody's call. The field
// holds what is done at once.
constexpr std::array<std::pair<std::string_view, const char*>, 9> kObserved{
    {{"find", nullptr},
     {"aggregate", nullptr},
     {"getMore", nullptr},
     {"insert", "documents"},
     {"update", "updates"},
     {"delete", "deletes"},
     {"findAndModify", nullptr},
     {"commitTransaction", nullptr},
     {"abortTransaction", nullptr}}};
constexpr std::uint16_t kUsualPort = 27017;

// The command that this thread waits for; its texts outlive its call.
struct Running {
  std::string collection;
  std::string database;
  std::string host;
  std::optional<trace::DatabaseCall> call;
};

thread_local const trace::Parent* current_parent = nullptr;
thread_local Running running;

std::string text_at(const bson_t* document, const char* name) {
  bson_iter_t field;
  std::uint32_t size = 0;
  if (!bson_iter_init_find(&field, document, name) || !BSON_ITER_HOLDS_UTF8(&field)) return {};
  const char* text = bson_iter_utf8(&field, &size);
  return {text, size};
}

// How many a list holds; 0 if there is none.
std::size_t size_at(const bson_t* document, const char* path) {
  bson_iter_t top, field, items;
  if (!bson_iter_init(&top, document) || !bson_iter_find_descendant(&top, path, &field) ||
      !BSON_ITER_HOLDS_ARRAY(&field) || !bson_iter_recurse(&field, &items)) {
    return 0;
  }
  std::size_t size = 0;
  while (bson_iter_next(&items)) ++size;
  return size;
}

// Whether the server's own search makes the first step.
bool is_search(const bson_t* command) {
  bson_iter_t top, stage, name;
  return bson_iter_init(&top, command) && bson_iter_find_descendant(&top, "pipeline.0", &stage) &&
         BSON_ITER_HOLDS_DOCUMENT(&stage) && bson_iter_recurse(&stage, &name) &&
         bson_iter_next(&name) &&
         std::string_view(bson_iter_key(&name)).find("earch") != std::string_view::npos;
}

void started(const mongoc_apm_command_started_t* event) {
  const std::string_view name = mongoc_apm_command_started_get_command_name(event);
  const auto observed =
      std::ranges::find(kObserved, name, [](const auto& pair) { return pair.first; });
  if (observed == kObserved.end()) return;
  const bson_t* command = mongoc_apm_command_started_get_command(event);
  const mongoc_host_list_t* host = mongoc_apm_command_started_get_host(event);
  running.call.reset();
  running.collection = text_at(command, name == "getMore" ? "collection" : observed->first.data());
  running.database = mongoc_apm_command_started_get_database_name(event);
  running.host = host->host;
  static const trace::Parent nowhere;
  running.call.emplace(
      current_parent ? *current_parent : nowhere,
      trace::Statement{.system = "mongodb",
                       .operation = observed->first,
                       .collection = running.collection,
                       .space = running.database,
                       .host = running.host,
                       .port = host->port == kUsualPort ? std::uint16_t{0} : host->port});
  if (!running.call->span()) return;
  if (observed->second) running.call->batched(size_at(command, observed->second));
  if (name == "aggregate" && is_search(command)) {
    running.call->span().set(trace::attribute::kObservationType, "retriever");
  }
}

void succeeded(const mongoc_apm_command_succeeded_t* event) {
  if (!running.call) return;
  const std::string_view name = mongoc_apm_command_succeeded_get_command_name(event);
  if (running.call->span() && (name == "find" || name == "aggregate" || name == "getMore")) {
    running.call->returned(size_at(mongoc_apm_command_succeeded_get_reply(event),
                                   name == "getMore" ? "cursor.nextBatch" : "cursor.firstBatch"));
  }
  running.call.reset();
}

// The server's words may repeat what a document holds.
void failed(const mongoc_apm_command_failed_t* event) {
  if (!running.call) return;
  bson_error_t error;
  mongoc_apm_command_failed_get_error(event, &error);
  if (error.domain == MONGOC_ERROR_SERVER) {
    running.call->fail(std::to_string(error.code), "MongoDB refused the command");
  } else {
    running.call->fail("_OTHER", "MongoDB did not answer");
  }
  running.call.reset();
}

}  // namespace

void monitor_commands(mongoc_client_pool_t* pool) {
  mongoc_apm_callbacks_t* callbacks = mongoc_apm_callbacks_new();
  mongoc_apm_set_command_started_cb(callbacks, started);
  mongoc_apm_set_command_succeeded_cb(callbacks, succeeded);
  mongoc_apm_set_command_failed_cb(callbacks, failed);
  mongoc_client_pool_set_apm_callbacks(pool, callbacks, nullptr);
  mongoc_apm_callbacks_destroy(callbacks);
}

CommandsBelow::CommandsBelow(const trace::Parent& parent) { current_parent = &parent; }

CommandsBelow::~CommandsBelow() { current_parent = nullptr; }

}  // namespace maas::ltm
