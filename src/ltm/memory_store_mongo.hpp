#pragma once

#include "core/time.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/mongo_search.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace maas::ltm {

inline constexpr std::string_view kMongoEngine = "mongodb";

struct MongoMemoryStoreOptions {
  MongoOptions server = {};
  MongoSearchOptions search = {};  // its cache's clock is the store's
  std::string model = {};  // names the vectors' space, which has the partitions' dims; empty: none
};

// Keeps memories in a MongoDB server, or in one that speaks its protocol, for any number of
// processes. Searches in partitions in memory that follow the server: the same ids and scores as
// the embedded engine gives; or has a server search that can (MongoSearch). A server that can't be
// reached is connected to when it comes; functions throw Error{unavailable} until then.
//
// Every change is one transaction: of the memories, their history, and a counter of their owner's
// changes. So a search finds what any process has stored, and texts are compared with what any
// process has stored. On a server without transactions it is made step by step (LeasedChanges),
// with the same promises for what was acknowledged; of a change of several memories that was
// interrupted, some may have been made.
//
// Throws Error{invalid_argument} for a malformed URI. To be destroyed when the event loops no
// longer run.
std::unique_ptr<MemoryStore> make_mongo_memory_store(MongoMemoryStoreOptions options,
                                                     std::function<Timestamp()> clock = now);

}  // namespace maas::ltm
