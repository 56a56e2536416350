#include "ltm/mongo_dialect.hpp"

namespace maas::ltm {

Document create_text_index(const std::string& collection, const std::string& language) {
  Document key, index, command;
  index.set("name", kTextIndex).set("key", key.set("text", "text"));
  index.set("default_language", language);
  const Document indexes[] = {std::move(index)};
  command.set("createIndexes", collection).set("indexes", std::span<const Document>(indexes));
  return command;
}

std::vector<Document> text_pipeline(const TextQuery& query) {
  Document search, matching, match;
  match.set("$text", search.set("$search", query.words));
  for (const auto& [path, value] : query.filter) match.set(path, value);
  Document score, fields, project, order, sort, limit;
  fields.set("_id", 0).set("id", 1).set("score", score.set("$meta", "textScore"));
  std::vector<Document> stages;
  stages.push_back(std::move(matching.set("$match", match)));
  stages.push_back(std::move(project.set("$project", fields)));
  stages.push_back(std::move(sort.set("$sort", order.set("score", -1))));
  stages.push_back(std::move(limit.set("$limit", static_cast<int>(query.limit))));
  return stages;
}

}  // namespace maas::ltm
