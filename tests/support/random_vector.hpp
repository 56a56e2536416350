#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace maas::test {

// Normalized, in any direction.
inline std::vector<float> random_vector(std::mt19937& random, std::size_t dims) {
  std::vector<float> values(dims);
  float squares = 0;
  for (float& value : values) {
    value = std::normal_distribution<float>()(random);
    squares += value * value;
  }
  for (float& value : values) value /= std::sqrt(squares);
  return values;
}

}  // namespace maas::test
