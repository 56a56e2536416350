#include "ltm/mongo_schema.hpp"

#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

namespace maas::ltm {
namespace {

using Key = std::pair<std::string_view, int>;

Document index(std::string_view name, std::initializer_list<Key> keys) {
  Document key, index;
  for (const auto& [field, direction] : keys) key.set(field, direction);
  index.set("key", key).set("name", name);
  return index;
}

Document create(const std::string& collection, const std::vector<Document>& indexes) {
  Document command;
  command.set("createIndexes", collection).set("indexes", std::span<const Document>(indexes));
  return command;
}

}  // namespace

std::vector<Document> schema_commands(const std::string& collection) {
  // The order in which a scope is listed.
  const auto listed = [](std::string_view name, std::string_view id) {
    return index(name, {{"tenant", 1}, {id, 1}, {"created_at", -1}, {"sequence", -1}});
  };
  const std::vector<Document> of_memories{
      listed("of_user", "user_id"),
      listed("of_agent", "agent_id"),
      listed("of_session", "session_id"),
      index("by_digest", {{"tenant", 1}, {"digest", 1}}),
      index("by_change", {{"owner", 1}, {"change", 1}}),
      index("expires_at_1", {{"expires_at", 1}}),
      index("sequence_1", {{"sequence", 1}}),
      index("by_update", {{"tenant", 1}, {"updated_at", -1}}),
  };
  const std::vector<Document> of_history{
      index("of_memory", {{"tenant", 1}, {"memory_id", 1}, {"version", 1}}),
      index("by_change", {{"owner", 1}, {"change", 1}}),
  };
  const std::vector<Document> of_owners{
      index("of_user", {{"tenant", 1}, {"user_id", 1}}),
      index("of_agent", {{"tenant", 1}, {"agent_id", 1}}),
      index("of_session", {{"tenant", 1}, {"session_id", 1}}),
  };
  return {create(collection, of_memories), create(collection + "_history", of_history),
          create(collection + "_owners", of_owners)};
}

}  // namespace maas::ltm
