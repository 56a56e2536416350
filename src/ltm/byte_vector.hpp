#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace maas::ltm {

// Vectors with a byte for each component: a quarter of the memory, which is what going through many
// of them costs. The dot product of two normalized ones is off by a thousandth or two.
//
// One lies in byte_vector_size(dims) bytes, at any address: a float `scale`, then `dims` signed
// bytes; scale · byte is the component to within scale / 2.
inline constexpr std::size_t byte_vector_size(std::size_t dims) { return sizeof(float) + dims; }

// Writes `factor · vector` to `place`.
void write_byte_vector(std::span<const float> vector, float factor, std::byte* place);

float byte_dot(const std::byte* a, const std::byte* b, std::size_t dims);

}  // namespace maas::ltm
