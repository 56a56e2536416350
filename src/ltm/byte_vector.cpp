#include "ltm/byte_vector.hpp"

#include "ltm/vector_clones.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace maas::ltm {
namespace {

constexpr float kLargest = 127;

// Through `void*` alone: a place may be unaligned.
float scale_of(const std::byte* place) {
  float scale = 0;
  std::memcpy(&scale, place, sizeof scale);
  return scale;
}

MAAS_VECTOR_CLONES std::int32_t dot_bytes(const std::int8_t* a, const std::int8_t* b,
                                          std::size_t dims) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dims; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

const std::int8_t* bytes_of(const std::byte* place) {
  return reinterpret_cast<const std::int8_t*>(place + sizeof(float));
}

}  // namespace

void write_byte_vector(std::span<const float> vector, float factor, std::byte* place) {
  float largest = 0;
  for (const float component : vector) largest = std::max(largest, std::abs(component));
  const float scale = factor * largest / kLargest;
  std::memcpy(place, &scale, sizeof scale);
  auto* const bytes = reinterpret_cast<std::int8_t*>(place + sizeof scale);
  const float per_component = largest == 0 ? 0 : kLargest / largest;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    bytes[i] = static_cast<std::int8_t>(std::nearbyint(vector[i] * per_component));
  }
}

float byte_dot(const std::byte* a, const std::byte* b, std::size_t dims) {
  const auto dot = static_cast<float>(dot_bytes(bytes_of(a), bytes_of(b), dims));
  return scale_of(a) * scale_of(b) * dot;
}

}  // namespace maas::ltm
