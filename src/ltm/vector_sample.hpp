#pragma once

#include "ltm/byte_vector.hpp"
#include "ltm/term_index.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace maas::ltm {

// A copy of the vectors of every so manieth slot, close together: enough of them to tell how the
// dot products of a query and all vectors are distributed.
class VectorSample {
 public:
  VectorSample(std::size_t dims, std::size_t stride)
      : dims_(dims), stride_(stride), row_size_(byte_vector_size(dims)) {}

  bool takes(Slot slot) const { return slot % stride_ == 0; }

  // `factor · vector` is what is kept of a slot that is taken; 0: nothing.
  void set(Slot slot, std::span<const float> vector, float factor) {
    const std::size_t begin = slot / stride_ * row_size_;
    if (rows_.size() < begin + row_size_) rows_.resize(begin + row_size_);
    write_byte_vector(vector, factor, rows_.data() + begin);
  }

  // Calls `visit(dot)` with the dot product of the query and each vector.
  template <class Visit>
  void for_each_dot(std::span<const float> query, Visit visit) const {
    std::vector<std::byte> bytes(row_size_);
    write_byte_vector(query, 1, bytes.data());
    for (std::size_t begin = 0; begin < rows_.size(); begin += row_size_) {
      const float dot = byte_dot(bytes.data(), rows_.data() + begin, dims_);
      if (dot != 0) visit(dot);  // as good as never 0, unless there is no vector
    }
  }

  std::size_t bytes() const { return rows_.capacity(); }

 private:
  std::size_t dims_;
  std::size_t stride_;
  std::size_t row_size_;
  std::vector<std::byte> rows_;
};

}  // namespace maas::ltm
