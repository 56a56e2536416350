#pragma once

#include <cstddef>
#include <span>

namespace maas::ltm {

// What is known of normally distributed values by the best of them.
struct TailFit {
  double rest_mean = 0;      // of those that are not among the best
  double rest_variance = 0;  // theirs
};

// `best`: the highest of `all` values, in any order; at least one, and fewer than `all`. By the
// moments of the truncated normal distribution (Johnson, Kotz & Balakrishnan, "Continuous
// Univariate Distributions", 1994, 13.10.1).
TailFit fit_tail(std::span<const float> best, std::size_t all);

}  // namespace maas::ltm
