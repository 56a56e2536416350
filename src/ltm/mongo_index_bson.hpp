#pragma once

#include <string>
#include <utility>
#include <vector>

struct _bson_t;

namespace maas::ltm {

struct MongoIndex {
  std::string name;
  std::vector<std::pair<std::string, int>> keys;  // fields with their directions, in this order
  std::string property = {};  // what keeps it from serving all documents alike; empty: nothing

  bool operator==(const MongoIndex&) const = default;
};

// An index as a server lists it. A key of another kind, such as a text index, has the direction 0.
MongoIndex index_of(const _bson_t* listed);

}  // namespace maas::ltm
