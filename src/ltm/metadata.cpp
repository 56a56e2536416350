#include "ltm/metadata.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace maas::ltm {
namespace {

namespace json = boost::json;

// Metadata is no deeper than the request that it came with.
constexpr std::size_t kMaxDepth = 128;
constexpr std::string_view kUnprocessed = "unprocessed";

json::object parsed(const std::string& metadata) {
  if (metadata.empty()) return {};
  json::parse_options options;
  options.max_depth = kMaxDepth;
  return json::parse(metadata, {}, options).as_object();
}

std::string text_of(const json::object& metadata) {
  return metadata.empty() ? std::string() : json::serialize(metadata);
}

}  // namespace

std::string speaker_in(const std::string& metadata) {
  if (metadata.find("\"speaker\"") == metadata.npos) return {};
  const json::object object = parsed(metadata);
  const json::value* speaker = object.if_contains("speaker");
  return speaker && speaker->is_string() ? std::string(speaker->get_string()) : std::string();
}

std::string merged_metadata(const std::string& older, const std::string& newer) {
  if (newer.empty()) return older;
  if (older.empty()) return newer;
  json::object merged = parsed(older);
  for (const auto& [key, value] : parsed(newer)) merged[key] = value;
  return text_of(merged);
}

std::string marked_unprocessed(const std::string& metadata) {
  json::object marked = parsed(metadata);
  marked[kUnprocessed] = true;
  return text_of(marked);
}

bool is_unprocessed(const Memory& memory) {
  if (memory.metadata.find("\"unprocessed\"") == memory.metadata.npos) return false;
  const json::object object = parsed(memory.metadata);
  const json::value* mark = object.if_contains(kUnprocessed);
  return mark && mark->is_bool() && mark->get_bool();
}

std::string without_unprocessed(const std::string& metadata) {
  json::object object = parsed(metadata);
  object.erase(kUnprocessed);
  return text_of(object);
}

}  // namespace maas::ltm
