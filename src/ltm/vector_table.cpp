#include "ltm/vector_table.hpp"

#include "ltm/vector_clones.hpp"

#include <algorithm>

namespace maas::ltm {
namespace {

// Sums in independent lanes: floating-point addition may not be reordered by the compiler, and one
// chain of additions would wait for itself.
constexpr std::size_t kLanes = 32;

[[gnu::always_inline]] inline float dot_lanes(const float* a, const float* b, std::size_t dims) {
  float lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= dims; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (; i < dims; ++i) sum += a[i] * b[i];
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return sum + lanes[0];
}

MAAS_VECTOR_CLONES void dot_rows(const float* query, const float* rows, std::size_t count,
                                 std::size_t dims, float* dots) {
  for (std::size_t row = 0; row < count; ++row) {
    dots[row] = dot_lanes(query, rows + row * dims, dims);
  }
}

}  // namespace

MAAS_VECTOR_CLONES float dot(const float* a, const float* b, std::size_t dims) {
  return dot_lanes(a, b, dims);
}

void VectorTable::grow(Slot slot) {
  if (dims_ == 0) return;
  while (blocks_.size() <= slot / kBlock) {
    blocks_.push_back(std::make_unique<float[]>(kBlock * dims_));
  }
}

void VectorTable::set(Slot slot, std::span<const float> vector) {
  if (dims_ == 0) return;
  float* const row = blocks_[slot / kBlock].get() + (slot % kBlock) * dims_;
  if (vector.empty()) {
    std::fill_n(row, dims_, 0.f);
  } else {
    std::ranges::copy(vector, row);
  }
}

void VectorTable::dot_all(const float* query, std::size_t count, float* dots) const {
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    dot_rows(query, blocks_[begin / kBlock].get(), std::min(kBlock, count - begin), dims_,
             dots + begin);
  }
}

}  // namespace maas::ltm
