#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace maas::ltm {

// What a vector search made elsewhere has told of a scope: the memories whose own vectors are
// nearest to a query's.
struct VectorHits {
  struct Hit {
    std::string id;
    float cosine = 0;
  };
  std::vector<Hit> hits = {};  // the best first
  bool are_all = false;        // no other memory that the search looked at has a vector
  // At how many memories it looked; 0: at those of the partition that the hits are given to.
  std::size_t among = 0;
};

}  // namespace maas::ltm
