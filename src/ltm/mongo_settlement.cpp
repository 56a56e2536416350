#include "ltm/mongo_settlement.hpp"

#include "core/log.hpp"
#include "ltm/memory_bson.hpp"
#include "ltm/mongo_queries.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

// Documents in one filter: it has to stay far below 16 MB.
constexpr std::size_t kAtOnce = 500;

struct Entry {
  std::string id;        // of its document
  std::string document;  // of the memory's
  std::int64_t version = 0;
  bool removes = false;
};

std::vector<Entry> entries_of(MongoSession& session, const std::string& owner,
                              std::int64_t change) {
  std::vector<Entry> entries;
  Document filter;
  filter.set("owner", owner).set("change", change);
  session.find(Collection::history, filter, {}, [&entries](const _bson_t* document) {
    entries.push_back(
        {.id = text_field(document, "_id"),
         .document = document_id(text_field(document, "tenant"), text_field(document, "memory_id")),
         .version = number_field(document, "version"),
         .removes = text_field(document, "event") == to_string(Event::remove)});
    return true;
  });
  return entries;
}

Document among(const std::vector<std::string>& ids) {
  Document filter, in;
  filter.set("_id", in.set("$in", std::span<const std::string>(ids)));
  return filter;
}

std::map<std::string, std::int64_t> versions_of(MongoSession& session,
                                                std::span<const Entry> entries) {
  std::vector<std::string> ids;
  for (const Entry& entry : entries) ids.push_back(entry.document);
  std::map<std::string, std::int64_t> versions;
  Document fields, options;
  options.set("projection", fields.set("version", 1));
  session.find(Collection::memories, among(ids), std::move(options),
               [&versions](const _bson_t* document) {
                 versions[text_field(document, "_id")] = number_field(document, "version");
                 return true;
               });
  return versions;
}

}  // namespace

void settle(MongoSession& session, const std::string& owner, std::int64_t change) {
  const std::vector<Entry> entries = entries_of(session, owner, change);
  std::size_t undone = 0, removed = 0;
  for (std::size_t begin = 0; begin < entries.size(); begin += kAtOnce) {
    const auto part = std::span(entries).subspan(begin, std::min(kAtOnce, entries.size() - begin));
    const std::map<std::string, std::int64_t> versions = versions_of(session, part);
    std::vector<std::string> untrue, to_remove;
    for (const Entry& entry : part) {
      const auto stored = versions.find(entry.document);
      if (entry.removes) {
        if (stored != versions.end()) to_remove.push_back(entry.document);
      } else if (stored == versions.end() || stored->second < entry.version) {
        untrue.push_back(entry.id);
      }
    }
    if (!to_remove.empty()) session.remove(Collection::memories, among(to_remove));
    if (!untrue.empty()) session.remove(Collection::history, among(untrue));
    removed += to_remove.size();
    undone += untrue.size();
  }
  log::warn("an interrupted change of memories has been settled",
            {{"entries", entries.size()}, {"undone", undone}, {"removed", removed}});
}

}  // namespace maas::ltm
