#pragma once

#include "ltm/mongo_client.hpp"
#include "ltm/mongo_index_bson.hpp"

#include <span>
#include <string>
#include <vector>

namespace maas::ltm {

// A collection as long-term memory needs it.
struct MongoTable {
  Collection collection;
  std::string name;
  std::vector<MongoIndex> indexes;

  // What is missing where `present` is there: one with the same keys serves under any name. Throws
  // Error{unavailable} that names an index which is in the way.
  std::vector<MongoIndex> missing(std::span<const MongoIndex> present) const;
};

// `collection` is that of the memories.
std::vector<MongoTable> schema(const std::string& collection);
Document create_indexes(const MongoTable& table, std::span<const MongoIndex> indexes);

// The index that finds leases, which only servers without transactions need.
MongoTable lease_schema(const std::string& collection);

// Makes the collections and indexes that aren't there. Needs no right to make indexes where all
// are. What is in the way is told and left as it is. Throws MongoError and Error{unavailable}.
void make_schema(MongoSession& session, const MongoOptions& options,
                 std::span<const MongoTable> tables);

}  // namespace maas::ltm
