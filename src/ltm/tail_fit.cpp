#include "ltm/tail_fit.hpp"

#include <boost/math/distributions/normal.hpp>

#include <algorithm>
#include <numeric>

namespace maas::ltm {

TailFit fit_tail(std::span<const float> best, std::size_t all) {
  const boost::math::normal standard;
  const auto count = static_cast<double>(best.size());
  const double share = count / static_cast<double>(all);
  const double cut = quantile(complement(standard, share));  // in deviations above the mean
  const double density = pdf(standard, cut);

  const double lowest = *std::ranges::min_element(best);
  const double mean_of_best = std::accumulate(best.begin(), best.end(), 0.0) / count;
  const double deviation = (mean_of_best - lowest) / (density / share - cut);
  const double mean = lowest - deviation * cut;

  const double ratio = density / (1 - share);
  return {.rest_mean = mean - deviation * ratio,
          .rest_variance = deviation * deviation * std::max(0.0, 1 - cut * ratio - ratio * ratio)};
}

}  // namespace maas::ltm
