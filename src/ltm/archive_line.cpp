#include "ltm/archive_line.hpp"

#include "core/iso8601.hpp"
#include "core/json_text.hpp"
#include "llm/vector_base64.hpp"
#include "ltm/memory_text.hpp"
#include "text/utf8.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace maas::ltm {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 2;
constexpr std::size_t kMaxEnd = 64;       // bytes, so that no memory is parsed twice
constexpr float kUnitTolerance = .01f;    // of a vector's length
constexpr std::size_t kMaxIdBytes = 256;  // as in requests
// Far beyond what changes can reach: it still has to rise with each.
constexpr std::int64_t kMaxVersion = std::int64_t{1} << 53;
constexpr std::size_t kMaxDepth = 128;  // of a request, in which metadata lie as deep as in a line

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

// All that a request may store comes back as it was: without this, numbers are off by their last
// digit, and metadata may be less deep.
json::parse_options as_in_requests() {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  options.numbers = json::number_precision::precise;
  return options;
}

json::value parsed(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error, {}, as_in_requests());
  if (error) throw BadLine("it is no JSON: " + error.message());
  return value;
}

// The members of an object, which is borrowed.
class Members {
 public:
  Members(json::value&&, std::string) = delete;
  Members(const json::value& value, std::string where) : where_(std::move(where)) {
    if (!value.is_object()) throw BadLine(where_ + " is no object");
    object_ = &value.get_object();
  }

  [[noreturn]] void fail(std::string_view key, std::string_view what) const {
    throw BadLine("'" + std::string(key) + "' of " + where_ + " " + std::string(what));
  }

  const json::value* find(std::string_view key) const {
    const json::value* value = object_->if_contains(key);
    return value && !value->is_null() ? value : nullptr;
  }

  std::optional<std::string> text(std::string_view key) const {
    const json::value* value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_string()) fail(key, "is no text");
    return std::string(value->get_string());
  }

  std::string needed_text(std::string_view key) const {
    auto found = text(key);
    if (!found || found->empty()) fail(key, "is missing");
    return *std::move(found);
  }

  // Empty: it is not given.
  std::string id(std::string_view key) const {
    std::string id = text(key).value_or("");
    if (id.size() > kMaxIdBytes) fail(key, "is longer than 256 bytes");
    if (text::has_control_characters(id)) fail(key, "holds control characters");
    return id;
  }

  std::string needed_id(std::string_view key) const {
    std::string found = id(key);
    if (found.empty()) fail(key, "is missing");
    return found;
  }

  std::optional<Timestamp> time(std::string_view key) const {
    const auto found = text(key);
    if (!found) return std::nullopt;
    const auto parsed = parse_time(*found);
    if (!parsed) fail(key, "is no time");
    return parsed;
  }

  Timestamp needed_time(std::string_view key) const {
    const auto found = time(key);
    if (!found) fail(key, "is missing");
    return *found;
  }

  // Nothing else may be there: a key that nobody reads would be lost.
  void allow(std::initializer_list<std::string_view> keys) const {
    for (const auto& member : *object_) {
      if (std::ranges::find(keys, std::string_view(member.key())) == keys.end()) {
        fail(member.key(), "is not known");
      }
    }
  }

 private:
  std::string where_;
  const json::object* object_ = nullptr;
};

json::object history_entry(const HistoryEntry& entry) {
  return {{"id", entry.id},
          {"event", to_string(entry.event)},
          {"old_memory", text_or_null(entry.old_text)},
          {"new_memory", text_or_null(entry.new_text)},
          {"created_at", format_time(entry.created_at)},
          {"updated_at", format_time(entry.updated_at)}};
}

HistoryEntry read_history_entry(const json::value& value, const std::string& memory_id) {
  const Members members(value, "a history entry");
  members.allow({"id", "event", "old_memory", "new_memory", "created_at", "updated_at"});
  HistoryEntry entry;
  entry.id = members.needed_id("id");
  entry.memory_id = memory_id;
  const auto event = event_from(members.needed_text("event"));
  if (!event) members.fail("event", "is none of ADD, UPDATE, DELETE");
  entry.event = *event;
  entry.old_text = members.text("old_memory");
  entry.new_text = members.text("new_memory");
  entry.created_at = members.needed_time("created_at");
  entry.updated_at = members.needed_time("updated_at");
  return entry;
}

void append_member(std::string& line, std::string_view key, const json::value& value) {
  line += ',';
  append_json(line, key);
  line += ':';
  append_json(line, value);
}

// Where a JSON text that begins at `at` ends; npos: nowhere.
std::size_t behind_text(std::string_view line, std::size_t at) {
  if (!line.substr(std::min(at, line.size())).starts_with('"')) return line.npos;
  for (++at; at < line.size(); ++at) {
    if (line[at] == '"') return at + 1;
    if (line[at] == '\\') ++at;
  }
  return line.npos;
}

void read_vector(const Members& members, ArchivedMemory& archived) {
  const auto base64 = members.text("vector");
  if (!base64) return;
  archived.model = members.needed_text("model");
  auto vector = llm::vector_from_base64(*base64);
  if (!vector || vector->empty()) members.fail("vector", "is no base64 of floats");
  float squares = 0;
  for (const float each : *vector) squares += each * each;
  if (!(std::abs(std::sqrt(squares) - 1) <= kUnitTolerance)) {
    members.fail("vector", "is not of length 1");
  }
  archived.vector = *std::move(vector);
}

}  // namespace

int archive_format(std::string_view line) {
  const json::value head = parsed(line);
  const Members members(head, "the first line");
  const json::value* version = members.find("maas_export");
  if (!version || !version->is_int64()) {
    throw BadLine("the first line is not that of an export: it should be " +
                  std::string(kArchiveHead));
  }
  const std::int64_t format = version->get_int64();
  if (format != kUnclosedFormat && format != kFormat) {
    throw BadLine(
        "the file has the format " + std::to_string(format) +
        ", this MaaS knows the formats 1 and 2: import it with the version that wrote it");
  }
  return static_cast<int>(format);
}

std::string archive_end(std::size_t memories) {
  return R"({"total":)" + std::to_string(memories) + '}';
}

std::optional<std::size_t> archive_total(std::string_view line) {
  if (line.size() > kMaxEnd) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object() || value.get_object().size() != 1) return std::nullopt;
  const json::value* total = value.get_object().if_contains("total");
  if (!total || !total->is_int64() || total->get_int64() < 0) return std::nullopt;
  return static_cast<std::size_t>(total->get_int64());
}

std::string archive_line(const ArchivedMemory& archived) {
  const Memory& memory = archived.memory;
  std::string line = R"({"tenant":)";
  append_json(line, std::string_view(archived.tenant));
  append_member(line, "id", json::value(memory.id));
  if (!archived.is_gone) {
    const auto append_given = [&line](std::string_view key, const std::string& text) {
      if (!text.empty()) append_member(line, key, json::value(text));
    };
    append_given("user_id", memory.scope.user_id);
    append_given("agent_id", memory.scope.agent_id);
    append_given("session_id", memory.scope.session_id);
    append_member(line, "category", json::value(to_string(memory.category)));
    append_member(line, "memory", json::value(memory.text));
    if (!memory.metadata.empty()) {
      append_member(line, "metadata", json::parse(memory.metadata, {}, as_in_requests()));
    }
    append_given("speaker", memory.speaker);
    append_member(line, "created_at", json::value(format_time(memory.created_at)));
    append_member(line, "updated_at", json::value(format_time(memory.updated_at)));
    if (memory.expires_at) {
      append_member(line, "expires_at", json::value(format_time(*memory.expires_at)));
    }
    append_member(line, "version", json::value(memory.version));
    if (!archived.vector.empty()) {
      append_given("model", archived.model);
      append_member(line, "vector", json::value(llm::to_base64(archived.vector)));
    }
  }
  json::array history;
  for (const HistoryEntry& entry : archived.history) history.push_back(history_entry(entry));
  append_member(line, "history", json::value(std::move(history)));
  line += '}';
  return line;
}

ArchiveKey archive_key(std::string_view line) {
  std::size_t end = 0;
  for (const std::string_view name : {R"({"tenant":)", R"(,"id":)"}) {
    if (!line.substr(end).starts_with(name)) return {};
    end = behind_text(line, end + name.size());
    if (end == line.npos) return {};
  }
  return {line.substr(0, end), line.substr(end).starts_with(R"(,"history":)")};
}

ArchivedMemory archived_memory(std::string_view line) {
  const json::value value = parsed(line);
  const Members members(value, "the memory");
  members.allow({"tenant", "id", "user_id", "agent_id", "session_id", "category", "memory",
                 "metadata", "speaker", "created_at", "updated_at", "expires_at", "version",
                 "model", "vector", "history"});
  ArchivedMemory archived;
  Memory& memory = archived.memory;
  archived.tenant = members.needed_id("tenant");
  memory.id = members.needed_id("id");
  const json::value* history = members.find("history");
  if (!history || !history->is_array()) members.fail("history", "is no list");
  for (const json::value& entry : history->get_array()) {
    archived.history.push_back(read_history_entry(entry, memory.id));
  }
  archived.is_gone = !members.find("memory");
  if (archived.is_gone) {
    if (archived.history.empty()) members.fail("memory", "is missing, and so is a history");
    if (archived.history.back().event != Event::remove) {
      members.fail("memory", "is missing, but its history does not end with DELETE");
    }
    return archived;
  }
  memory.scope = {members.id("user_id"), members.id("agent_id"), members.id("session_id")};
  if (memory.scope == Scope{}) members.fail("user_id", "is missing, and so are the other owners");
  const auto category = category_from(members.needed_text("category"));
  if (!category) members.fail("category", "is none of semantic, episodic, fact, preference");
  memory.category = *category;
  memory.text = members.needed_text("memory");
  if (is_blank(memory.text)) members.fail("memory", "is blank");
  if (const json::value* metadata = members.find("metadata")) {
    if (!metadata->is_object()) members.fail("metadata", "is no object");
    memory.metadata = json::serialize(*metadata);
  }
  memory.speaker = members.text("speaker").value_or("");
  memory.created_at = members.needed_time("created_at");
  memory.updated_at = members.needed_time("updated_at");
  memory.expires_at = members.time("expires_at");
  const json::value* version = members.find("version");
  if (!version || !version->is_int64() || version->get_int64() < 1 ||
      version->get_int64() > kMaxVersion) {
    members.fail("version", "is no number from 1 to 2^53");
  }
  memory.version = version->get_int64();
  read_vector(members, archived);
  return archived;
}

}  // namespace maas::ltm
