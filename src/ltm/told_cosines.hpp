#pragma once

#include "ltm/partition_state.hpp"
#include "ltm/vector_hits.hpp"

#include <cstddef>
#include <vector>

namespace maas::ltm {

// The cosines of a query and the memories of a partition in their context, from those that a vector
// search made elsewhere has told. Of the other memories it is known only that their cosines are
// lower: each counts as the average of these does. The lengths of blended vectors are not known
// either; kNeighbourCosine tells what they are about.
class ToldCosines {
 public:
  struct Cosine {
    float value = 0;     // NaN: the memory has no vector
    float variance = 0;  // of what had to be guessed in it
  };

  // `among`: how many memories the vector search looked at. Borrows everything; fills `dots`.
  ToldCosines(const PartitionState& state, const VectorHits& told, std::size_t among,
              std::vector<float>& dots);

  Cosine in_context(Slot slot) const;

 private:
  const PartitionState& state_;
  const std::vector<float>& dots_;  // by slot; NaN: there is no vector
  float rest_mean_ = 0;
  float rest_variance_ = 0;
};

}  // namespace maas::ltm
