#pragma once

#include "ltm/vector_table.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace maas::ltm {

// Finds the vectors of a large table that are nearest to a query without looking at all of them.
// Any number of threads may ask at once; a change needs the index for itself.
class NearestIndex {
 public:
  virtual ~NearestIndex() = default;

  // Takes in the vector that the table holds for `slot`, or the one that it holds now.
  virtual void put(Slot slot) = 0;
  // Nothing happens if it isn't here. The table may hold anything there afterwards.
  virtual void remove(Slot slot) = 0;

  // Up to `count` slots with the largest dot product, about the right ones, in no order.
  virtual std::vector<Slot> nearest(const float* query, std::size_t count) const = 0;

  virtual std::size_t bytes() const = 0;
};

// A hierarchical navigable small world graph (Malkov & Yashunin, 2018). Borrows the table, whose
// vectors it refers to.
std::unique_ptr<NearestIndex> make_hnsw_index(const VectorTable& vectors);

}  // namespace maas::ltm
