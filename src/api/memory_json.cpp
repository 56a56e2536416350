#include "api/memory_json.hpp"

#include "api/json_parts.hpp"
#include "api/list_cursor.hpp"
#include "core/iso8601.hpp"
#include "core/json_text.hpp"

#include <optional>

namespace maas::api {
namespace {

// What a memory takes beside its texts and ids.
constexpr std::size_t kFrame = 420;

std::size_t bytes_of(const Memory& memory) {
  return kFrame + memory.text.size() + memory.metadata.size() + memory.scope.user_id.size() +
         memory.scope.agent_id.size() + memory.scope.session_id.size();
}

// The caller's keys, and those that clients of old look for among them.
void append_metadata(std::string& out, const Memory& memory) {
  constexpr std::string_view kEmpty = "{}";
  out += '{';
  if (memory.metadata.size() > kEmpty.size()) {
    out.append(memory.metadata, 1, memory.metadata.size() - kEmpty.size());
    out += ',';
  }
  out += R"("category":")";
  out += to_string(memory.category);
  out += '"';
  if (memory.expires_at) {
    out += R"(,"expires_at":)";
    append_seconds(out, *memory.expires_at);
  }
  out += '}';
}

// Without the braces around; an empty event is none.
void append_fields(std::string& out, const Memory& memory, std::optional<double> score,
                   std::string_view event) {
  out += R"("id":")";
  out += memory.id;
  out += R"(","memory":)";
  append_json(out, memory.text);
  out += R"(,"metadata":)";
  append_metadata(out, memory);
  out += R"(,"created_at":")";
  out += format_time(memory.created_at);
  out += R"(","updated_at":")";
  out += format_time(memory.updated_at);
  out += R"(","score":)";
  if (score) {
    append_number(out, *score);
  } else {
    out += "null";
  }
  out += R"(,"event":)";
  append_text_or_null(out, event);
  out += R"(,"user_id":)";
  append_text_or_null(out, memory.scope.user_id);
  out += R"(,"agent_id":)";
  append_text_or_null(out, memory.scope.agent_id);
  out += R"(,"session_id":)";
  append_text_or_null(out, memory.scope.session_id);
  out += R"(,"category":")";
  out += to_string(memory.category);
  out += R"(","expires_at":)";
  if (memory.expires_at) {
    append_seconds(out, *memory.expires_at);
  } else {
    out += "null";
  }
}

void append_rank(std::string& out, std::optional<std::size_t> rank) {
  if (rank) {
    append_integer(out, static_cast<std::int64_t>(*rank));
  } else {
    out += "null";
  }
}

void append_explanation(std::string& out, const ltm::Explanation& explanation) {
  out += R"({"cosine":)";
  if (explanation.cosine) {
    append_number(out, *explanation.cosine);
  } else {
    out += "null";
  }
  out += R"(,"cosine_rank":)";
  append_rank(out, explanation.cosine_rank);
  out += R"(,"lexical":)";
  append_number(out, explanation.lexical);
  out += R"(,"lexical_rank":)";
  append_rank(out, explanation.lexical_rank);
  out += R"(,"recency":)";
  append_number(out, explanation.recency);
  out += R"(,"fused":)";
  append_number(out, explanation.fused);
  out += R"(,"matched_terms":[)";
  for (const std::string& term : explanation.matched_terms) {
    if (&term != &explanation.matched_terms.front()) out += ',';
    append_json(out, term);
  }
  out += "]}";
}

void append_milliseconds(std::string& out, std::chrono::microseconds duration) {
  append_number(out, static_cast<double>(duration.count()) / 1000);
}

void append_optional_text(std::string& out, const std::optional<std::string>& text) {
  if (text) {
    append_json(out, *text);
  } else {
    out += "null";
  }
}

}  // namespace

void append_memory(std::string& out, const Memory& memory) {
  out.reserve(out.size() + bytes_of(memory));
  out += '{';
  append_fields(out, memory, std::nullopt, {});
  out += '}';
}

void append_remembered(std::string& out, std::span<const ltm::Remembered> remembered) {
  if (remembered.empty()) {
    out += R"({"id":null,"memory":"","metadata":null,"created_at":null,"updated_at":null,)"
           R"("score":null,"event":"NOOP","user_id":null,"agent_id":null,"session_id":null,)"
           R"("category":null,"expires_at":null,"results":[]})";
    return;
  }
  std::size_t bytes = bytes_of(*remembered.front().memory);
  for (const ltm::Remembered& each : remembered) bytes += bytes_of(*each.memory);
  out.reserve(out.size() + bytes);
  out += '{';
  const std::size_t begin = out.size();
  append_fields(out, *remembered.front().memory, std::nullopt, to_string(remembered.front().event));
  const std::size_t length = out.size() - begin;
  out += R"(,"results":[{)";
  out.append(out, begin, length);
  out += '}';
  for (const ltm::Remembered& each : remembered.subspan(1)) {
    out += ",{";
    append_fields(out, *each.memory, std::nullopt, to_string(each.event));
    out += '}';
  }
  out += "]}";
}

void append_found(std::string& out, const ltm::Found& found, bool explain) {
  constexpr std::size_t kExplanation = 240;
  std::size_t bytes = 64;
  for (const ltm::SearchHit& hit : found.hits) {
    bytes += bytes_of(*hit.memory) + (explain ? kExplanation : 0);
  }
  out.reserve(out.size() + bytes);
  out += R"({"results":[)";
  for (const ltm::SearchHit& hit : found.hits) {
    out += &hit == &found.hits.front() ? "{" : ",{";
    append_fields(out, *hit.memory, hit.score, {});
    if (explain) {
      out += R"(,"explanation":)";
      append_explanation(out, hit.explanation);
    }
    out += '}';
  }
  out += ']';
  if (explain) {
    // Candidates are ranked in the engine's own pass; nothing is left to do outside of it.
    out += R"(,"timing_ms":{"embed":)";
    append_milliseconds(out, found.timing.embed);
    out += R"(,"search":)";
    append_milliseconds(out, found.timing.search);
    out += R"(,"rank":0})";
  }
  out += '}';
}

void append_page(std::string& out, const ltm::Page& page) {
  std::size_t bytes = 64;
  for (const MemoryPtr& memory : page.memories) bytes += bytes_of(*memory);
  out.reserve(out.size() + bytes);
  out += R"({"results":[)";
  for (const MemoryPtr& memory : page.memories) {
    out += &memory == &page.memories.front() ? "{" : ",{";
    append_fields(out, *memory, std::nullopt, {});
    out += '}';
  }
  out += R"(],"next_cursor":)";
  append_text_or_null(out, page.next ? to_cursor(*page.next) : std::string());
  out += '}';
}

void append_history(std::string& out, std::span<const ltm::HistoryEntry> entries) {
  out += R"({"entries":[)";
  for (const ltm::HistoryEntry& entry : entries) {
    out += &entry == &entries.front() ? R"({"id":)" : R"(,{"id":)";
    append_json(out, entry.id);
    out += R"(,"memory_id":)";
    append_json(out, entry.memory_id);
    out += R"(,"old_memory":)";
    append_optional_text(out, entry.old_text);
    out += R"(,"new_memory":)";
    append_optional_text(out, entry.new_text);
    out += R"(,"event":")";
    out += to_string(entry.event);
    out += R"(","created_at":")";
    out += format_time(entry.created_at);
    out += R"(","updated_at":")";
    out += format_time(entry.updated_at);
    out += R"(","is_deleted":)";
    out += entry.event == ltm::Event::remove ? "true}" : "false}";
  }
  out += "]}";
}

void append_deleted(std::string& out, std::string_view id) {
  out += R"({"id":)";
  append_json(out, id);
  out += R"(,"deleted":true,"message":"Memory deleted successfully!"})";
}

}  // namespace maas::api
