#include "ltm/memory_bson.hpp"

#include "core/error.hpp"
#include "core/ids.hpp"
#include "ltm/metadata.hpp"
#include "ltm/scope_key.hpp"

#include <boost/algorithm/hex.hpp>

#include <algorithm>
#include <bson/bson.h>
#include <limits>
#include <span>
#include <utility>

namespace maas::ltm {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

Timestamp timestamp(const bson_iter_t& field) {
  return Timestamp(std::chrono::microseconds(bson_iter_as_int64(&field)));
}

std::string text(const bson_iter_t& field) {
  if (!BSON_ITER_HOLDS_UTF8(&field)) return {};
  std::uint32_t size = 0;
  const char* bytes = bson_iter_utf8(&field, &size);
  return {bytes, size};
}

// What an update may change, and what it has to take away.
void set_content(Document& document, Document* absent, const Memory& memory,
                 const std::string& digest, std::int64_t change) {
  const auto optional = [&](const char* key, bool present, const auto& value) {
    if (present) {
      document.set(key, value);
    } else if (absent) {
      absent->set(key, "");
    }
  };
  document.set("category", to_string(memory.category));
  optional("speaker", !memory.speaker.empty(), memory.speaker);
  document.set("created_at", micros(memory.created_at));
  document.set("updated_at", micros(memory.updated_at));
  document.set("expires_at", memory.expires_at ? micros(*memory.expires_at) : kNever);
  document.set("version", memory.version);
  document.set("change", change);
  document.set("digest", hexadecimal(digest));
  document.set("text", memory.text);
  optional("metadata", !memory.metadata.empty(), memory.metadata);
  optional("unprocessed", is_unprocessed(memory), true);
}

void set_embedding(Document& document, Document* absent, const llm::Vector& vector,
                   const VectorSpace& space) {
  if (!vector.empty() && !space.model.empty()) {
    document.set("model", space.model);
    document.set("embedding", std::span<const float>(vector));
  } else if (absent) {
    absent->set("model", "").set("embedding", "");
  }
}

Document update_of(const Document& changed, const Document& absent) {
  Document update;
  update.set("$set", changed);
  if (!absent.empty()) update.set("$unset", absent);
  return update;
}

void set_scope(Document& document, const Scope& scope) {
  if (!scope.user_id.empty()) document.set("user_id", scope.user_id);
  if (!scope.agent_id.empty()) document.set("agent_id", scope.agent_id);
  if (!scope.session_id.empty()) document.set("session_id", scope.session_id);
}

// Takes what a field tells of a memory; false: it is about something else.
bool read_field(Memory& memory, std::string_view key, const bson_iter_t& field) {
  if (key == "id") {
    memory.id = text(field);
  } else if (key == "user_id") {
    memory.scope.user_id = text(field);
  } else if (key == "agent_id") {
    memory.scope.agent_id = text(field);
  } else if (key == "session_id") {
    memory.scope.session_id = text(field);
  } else if (key == "category") {
    memory.category = category_from(text(field)).value_or(Category::semantic);
  } else if (key == "speaker") {
    memory.speaker = text(field);
  } else if (key == "created_at") {
    memory.created_at = timestamp(field);
  } else if (key == "updated_at") {
    memory.updated_at = timestamp(field);
  } else if (key == "expires_at") {
    if (bson_iter_as_int64(&field) != kNever) memory.expires_at = timestamp(field);
  } else if (key == "version") {
    memory.version = bson_iter_as_int64(&field);
  } else if (key == "sequence") {
    memory.sequence = bson_iter_as_int64(&field);
  } else if (key == "text") {
    memory.text = text(field);
  } else if (key == "metadata") {
    memory.metadata = text(field);
  } else {
    return false;
  }
  return true;
}

llm::Vector vector_of(const bson_iter_t& field, std::size_t dims = 0) {
  llm::Vector vector;
  bson_iter_t element;
  if (!BSON_ITER_HOLDS_ARRAY(&field) || !bson_iter_recurse(&field, &element)) return vector;
  vector.reserve(dims);
  while (bson_iter_next(&element)) {
    vector.push_back(static_cast<float>(bson_iter_as_double(&element)));
  }
  return vector;
}

// Calls `visit(key, field)` for every field.
template <class Visit>
void for_each_field(const bson_t* document, Visit visit) {
  bson_iter_t field;
  if (!bson_iter_init(&field, document)) {
    throw Error(Errc::internal, "Internal Server Error", "MongoDB sent a broken document");
  }
  while (bson_iter_next(&field)) visit(std::string_view(bson_iter_key(&field)), field);
}

void check(const Memory& memory) {
  if (memory.id.empty()) {
    throw Error(Errc::internal, "Internal Server Error",
                "the collection of memories holds a document that MaaS did not write");
  }
}

}  // namespace

std::string document_id(std::string_view tenant, std::string_view id) {
  std::string key = std::to_string(tenant.size());
  key += ':';
  key += tenant;
  key += id;
  return key;
}

std::string hexadecimal(std::string_view bytes) {
  return boost::algorithm::hex_lower(std::string(bytes));
}

Document memory_document(std::string_view tenant, const Memory& memory, const std::string& digest,
                         std::int64_t change, const llm::Vector& vector, const VectorSpace& space) {
  Document document;
  document.set("_id", document_id(tenant, memory.id));
  document.set("tenant", tenant);
  document.set("owner", scope_key(tenant, memory.scope));
  document.set("id", memory.id);
  set_scope(document, memory.scope);
  document.set("sequence", memory.sequence);
  set_content(document, nullptr, memory, digest, change);
  set_embedding(document, nullptr, vector, space);
  return document;
}

Document memory_update(const Memory& memory, const std::string& digest, std::int64_t change,
                       const std::optional<llm::Vector>& vector, const VectorSpace& space) {
  Document changed, absent;
  set_content(changed, &absent, memory, digest, change);
  if (vector) set_embedding(changed, &absent, *vector, space);
  return update_of(changed, absent);
}

Document vector_update(std::int64_t change, const llm::Vector& vector, const VectorSpace& space) {
  Document changed, absent;
  changed.set("change", change);
  set_embedding(changed, &absent, vector, space);
  return update_of(changed, absent);
}

Memory memory_of(const _bson_t* document) {
  Memory memory;
  for_each_field(document, [&memory](std::string_view key, const bson_iter_t& field) {
    read_field(memory, key, field);
  });
  check(memory);
  return memory;
}

MemoryRow row_of(const _bson_t* document, const VectorSpace& space) {
  MemoryRow row;
  bool of_this_space = false;
  for_each_field(document, [&](std::string_view key, const bson_iter_t& field) {
    if (read_field(row.memory, key, field)) return;
    if (key == "model") of_this_space = text(field) == space.model;
    if (key == "embedding") row.vector = vector_of(field, space.dims);
  });
  check(row.memory);
  if (!of_this_space || row.vector.size() != space.dims) row.vector.clear();
  return row;
}

OwnedMemory owned_memory_of(const _bson_t* document) {
  return {text_field(document, "tenant"), std::make_shared<const Memory>(memory_of(document))};
}

Document history_document(std::string_view tenant, const Memory& memory,
                          const std::string* old_text, const std::string* new_text, Event event,
                          Timestamp time, std::int64_t change) {
  HistoryEntry entry{.id = make_id(),
                     .memory_id = memory.id,
                     .old_text = {},
                     .new_text = {},
                     .event = event,
                     .created_at = memory.created_at,
                     .updated_at = time};
  if (old_text) entry.old_text = *old_text;
  if (new_text) entry.new_text = *new_text;
  // What removes a memory comes after its last version.
  const std::int64_t version = memory.version + (event == Event::remove ? 1 : 0);
  return history_document(tenant, memory.scope, entry, version, change);
}

Document history_document(std::string_view tenant, const Scope& owner, const HistoryEntry& entry,
                          std::int64_t version, std::int64_t change) {
  Document document;
  document.set("_id", document_id(tenant, entry.memory_id) + "/" + std::to_string(version));
  document.set("tenant", tenant);
  document.set("owner", scope_key(tenant, owner));
  document.set("change", change);
  document.set("memory_id", entry.memory_id);
  document.set("version", version);
  document.set("id", entry.id);
  document.set("event", to_string(entry.event));
  document.set("created_at", micros(entry.created_at));
  document.set("updated_at", micros(entry.updated_at));
  if (entry.old_text) document.set("old_text", *entry.old_text);
  if (entry.new_text) document.set("new_text", *entry.new_text);
  return document;
}

HistoryEntry history_entry_of(const _bson_t* document) {
  HistoryEntry entry;
  for_each_field(document, [&entry](std::string_view key, const bson_iter_t& field) {
    if (key == "id") {
      entry.id = text(field);
    } else if (key == "memory_id") {
      entry.memory_id = text(field);
    } else if (key == "event") {
      entry.event = event_from(text(field)).value_or(Event::none);
    } else if (key == "created_at") {
      entry.created_at = timestamp(field);
    } else if (key == "updated_at") {
      entry.updated_at = timestamp(field);
    } else if (key == "old_text") {
      entry.old_text = text(field);
    } else if (key == "new_text") {
      entry.new_text = text(field);
    }
  });
  return entry;
}

llm::Vector vector_field(const _bson_t* document) {
  bson_iter_t field;
  if (!bson_iter_init_find(&field, document, "embedding")) return {};
  return vector_of(field);
}

double real_field(const _bson_t* document, const char* key) {
  bson_iter_t field;
  return bson_iter_init_find(&field, document, key) ? bson_iter_as_double(&field) : 0;
}

std::string text_field(const _bson_t* document, const char* key) {
  bson_iter_t field;
  return bson_iter_init_find(&field, document, key) ? text(field) : std::string();
}

std::int64_t number_field(const _bson_t* document, const char* key) {
  bson_iter_t field;
  return bson_iter_init_find(&field, document, key) ? bson_iter_as_int64(&field) : 0;
}

std::int64_t date_field(const _bson_t* document, const char* key) {
  bson_iter_t field;
  const bool is_date =
      bson_iter_init_find(&field, document, key) && BSON_ITER_HOLDS_DATE_TIME(&field);
  return is_date ? bson_iter_date_time(&field) : 0;
}

}  // namespace maas::ltm
