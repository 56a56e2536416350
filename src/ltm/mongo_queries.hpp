#pragma once

#include "core/memory.hpp"
#include "ltm/document_bson.hpp"
#include "ltm/filter.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/partition_source.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What long-term memory asks a MongoDB server, as documents (memory_bson.hpp tells theirs). Pure.
namespace maas::ltm {

// What lies in the scope, which gives at least one id, expired or not; also of owners.
Document scope_filter(std::string_view tenant, const Scope& scope);

// Adds that it has not expired at `now`.
Document visible(Document filter, Timestamp now);

// What has expired; without a tenant: of all.
Document expired_filter(std::string_view tenant, Timestamp now);

// The documents of a tenant's memories.
Document ids_filter(std::string_view tenant, std::span<const std::string> ids);

// Those that may be listed. They may still fail the query's filter, of which only a part can be
// said in MongoDB's words with the same meaning: whoever lists them asks matches().
Document list_filter(std::string_view tenant, const Scope& scope, const ListQuery& query,
                     Timestamp now);

// What MongoDB can say of a filter, so that it loses nothing that matches() finds: comparisons of
// category and times with what they can be equal to. Metadata are kept as a text.
Document filter_of(const Filter& filter);

// Memories that may say the same as one with these digests, expired or not.
Document same_text_filter(std::string_view tenant, std::span<const std::string> digests);

// Of what a filter finds, what was written since `time`.
Document updated_since(Document filter, Timestamp time);

// What has to be equal in every memory of a scope, as paths and values.
std::vector<std::pair<std::string_view, std::string_view>> equal_to(std::string_view tenant,
                                                                    const Scope& scope);

// What happened to owners' memories after the changes that are known of them. Not empty.
Document changes_filter(std::span<const OwnerChange> known);
// Of these, in the history, the memories that were removed.
Document removals_filter(std::span<const OwnerChange> known);

// `model` is the store's.
Document waiting_filter(Waiting what, const std::string& model, std::int64_t after, Timestamp now);

// For archives: of all tenants, what arrived later; the history's entries of removed memories that
// come later in the order of tenants and ids; the whole history of some memories.
Document arrived_after(std::int64_t sequence);
Document removed_after(std::string_view tenant, std::string_view id);
Document history_filter(std::string_view tenant, std::span<const std::string> memory_ids);

// Options of find: everything but vectors; the newest first; the first that arrived first. A limit
// of 0: none.
Document without_vectors();
// Ids alone, and with vectors, of the last updated.
Document ids_alone(std::size_t limit);
Document ids_and_vectors(std::size_t limit);
Document newest_first(std::size_t limit);
Document in_order_of_arrival(std::size_t limit);
Document whole_in_order_of_arrival(std::size_t limit);  // with vectors
// Entries of the history, by tenant, memory and version.
Document by_memory(std::size_t limit);

}  // namespace maas::ltm
