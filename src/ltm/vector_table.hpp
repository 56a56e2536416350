#pragma once

#include "ltm/term_index.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace maas::ltm {

// The dot product of two arrays of `dims` floats.
float dot(const float* a, const float* b, std::size_t dims);

// The vectors of a partition by slot, side by side in blocks that never move: one pass over them
// runs as fast as memory can be read, and growing copies nothing. A slot without a vector holds
// zeros.
class VectorTable {
 public:
  explicit VectorTable(std::size_t dims) : dims_(dims) {}

  std::size_t dims() const { return dims_; }

  // Makes room for `slot`; it has no vector.
  void grow(Slot slot);
  // `vector` is of `dims` floats, or empty: none.
  void set(Slot slot, std::span<const float> vector);

  const float* at(Slot slot) const {
    return blocks_[slot / kBlock].get() + (slot % kBlock) * dims_;
  }

  std::span<const float> row(Slot slot) const { return {at(slot), dims_}; }

  // dots[slot] = query · vector, for all slots below `count`.
  void dot_all(const float* query, std::size_t count, float* dots) const;

  std::size_t bytes() const { return blocks_.size() * kBlock * dims_ * sizeof(float); }

 private:
  // Small enough that a scope of a few memories doesn't waste much.
  static constexpr std::size_t kBlock = 64;

  std::size_t dims_;
  std::vector<std::unique_ptr<float[]>> blocks_;
};

}  // namespace maas::ltm
