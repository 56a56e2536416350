#include "ltm/told_cosines.hpp"

#include "ltm/tail_fit.hpp"

#include <cmath>
#include <iterator>
#include <limits>

namespace maas::ltm {
namespace {

constexpr float kUntold = -2;  // no cosine is
constexpr float kNoVector = std::numeric_limits<float>::quiet_NaN();

}  // namespace

ToldCosines::ToldCosines(const PartitionState& state, const VectorHits& told, std::size_t among,
                         std::vector<float>& dots)
    : state_(state), dots_(dots) {
  dots.assign(state.places.size(), told.are_all ? kNoVector : kUntold);
  std::vector<float> best;
  best.reserve(told.hits.size());
  for (const auto& [id, cosine] : told.hits) {
    const auto slot = state.slots.find(id);
    if (slot == state.slots.end()) continue;
    dots[slot->second] = cosine;
    best.push_back(cosine);
  }
  if (best.empty() || best.size() >= among) return;
  const TailFit rest = fit_tail(best, among);
  rest_mean_ = static_cast<float>(rest.rest_mean);
  rest_variance_ = static_cast<float>(rest.rest_variance);
}

ToldCosines::Cosine ToldCosines::in_context(Slot slot) const {
  if (std::isnan(dots_[slot])) return {.value = kNoVector};
  float sum = 0, weights = 0, squares = 0, guessed = 0;
  const auto add = [&](Slot other, float weight) {
    const float dot = dots_[other];
    if (std::isnan(dot)) return;
    const bool is_told = dot != kUntold;
    sum += weight * (is_told ? dot : rest_mean_);
    weights += weight;
    squares += weight * weight;
    if (!is_told) guessed += weight * weight;
  };
  add(slot, 1);
  state_.for_each_before(slot, std::size(kLaterVector), [&](Slot other, std::size_t distance) {
    add(other, kLaterVector[distance]);
  });
  state_.for_each_after(slot, std::size(kEarlierVector), [&](Slot other, std::size_t distance) {
    add(other, kEarlierVector[distance]);
  });
  const float norm_squared = squares + kNeighbourCosine * (weights * weights - squares);
  return {.value = sum / std::sqrt(norm_squared),
          .variance = guessed * rest_variance_ / norm_squared};
}

}  // namespace maas::ltm
