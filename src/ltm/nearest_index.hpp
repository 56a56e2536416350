#pragma once

#include "ltm/term_index.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace maas::ltm {

// Finds the vectors of a large table that are nearest to a query without looking at all of them.
// Any number of threads may ask at once; a change needs the index for itself.
class NearestIndex {
 public:
  virtual ~NearestIndex() = default;

  // Takes in the vector of `slot`, instead of the one that it may have had. Copies what it needs.
  virtual void put(Slot slot, std::span<const float> vector) = 0;
  // Nothing happens if it isn't here.
  virtual void remove(Slot slot) = 0;

  // Up to `count` slots with the largest dot product, about the right ones, in no order.
  virtual std::vector<Slot> nearest(std::span<const float> query, std::size_t count) const = 0;

  virtual std::size_t bytes() const = 0;
};

// A hierarchical navigable small world graph (Malkov & Yashunin, 2018) of byte vectors.
std::unique_ptr<NearestIndex> make_hnsw_index(std::size_t dims);

}  // namespace maas::ltm
