#pragma once

#include "core/memory.hpp"
#include "ltm/document_bson.hpp"
#include "ltm/memory_row.hpp"
#include "ltm/memory_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maas::ltm {

// What a MongoDB server holds of one tenant's memories: the one place that turns them into BSON and
// back. Times are int64, µs since the epoch: a BSON date ends at milliseconds and would put
// memories in another order. An id of the scope that isn't given, a missing vector and empty
// metadata are left out. A life without end has the greatest int64, for a vector search's filter
// can't be relied on to ask for what isn't there.
//
// A memory's document beside its own fields:
//   _id     document_id()
//   owner   scope_key() of tenant and owner, under which changes are counted
//   change  the number of its last change among the owner's
//   digest  digest_of(), as hexadecimal digits
//   unprocessed  true while it waits for the LLM, else left out
//   model, embedding  the vector and whose it is

// Unlike any other tenant's.
std::string document_id(std::string_view tenant, std::string_view id);
// The digest in a document.
std::string hexadecimal(std::string_view bytes);

Document memory_document(std::string_view tenant, const Memory& memory, const std::string& digest,
                         std::int64_t change, const llm::Vector& vector, const VectorSpace& space);

// The update of a document to this memory. Without a vector, that stays as it is.
Document memory_update(const Memory& memory, const std::string& digest, std::int64_t change,
                       const std::optional<llm::Vector>& vector, const VectorSpace& space);

// The update that gives it another vector.
Document vector_update(std::int64_t change, const llm::Vector& vector, const VectorSpace& space);

// Throws Error{internal} for a document that MaaS can't have written.
Memory memory_of(const _bson_t* document);
MemoryRow row_of(const _bson_t* document, const VectorSpace& space);
OwnedMemory owned_memory_of(const _bson_t* document);

// An entry of the history; its _id makes it one with what a repeated change would write. `old_text`
// null: the memory is new. `new_text` null: it is gone.
Document history_document(std::string_view tenant, const Memory& memory,
                          const std::string* old_text, const std::string* new_text, Event event,
                          Timestamp time, std::int64_t change);
// An entry as it was elsewhere, of a memory of this owner.
Document history_document(std::string_view tenant, const Scope& owner, const HistoryEntry& entry,
                          std::int64_t version, std::int64_t change);
HistoryEntry history_entry_of(const _bson_t* document);

// The vector in a document, of whatever model; empty: there is none.
llm::Vector vector_field(const _bson_t* document);

// A text field, and a number of any kind; empty and 0: it isn't there.
std::string text_field(const _bson_t* document, const char* key);
double real_field(const _bson_t* document, const char* key);
std::int64_t number_field(const _bson_t* document, const char* key);
// A date of the server's, in ms since the epoch.
std::int64_t date_field(const _bson_t* document, const char* key);

}  // namespace maas::ltm
