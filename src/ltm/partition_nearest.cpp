#include "ltm/partition_state.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace maas::ltm {

std::vector<Neighbour> PartitionState::nearest_to(std::span<const float> vector, std::size_t limit,
                                                  Timestamp now) const {
  if (vector.size() != vectors.dims() || limit == 0) return {};
  std::vector<std::pair<float, Slot>> found;
  const auto look_at = [&](Slot slot) {
    const Place& place = places[slot];
    if (!place.memory || !place.has_vector || expired(*place.memory, now)) return;
    found.emplace_back(dot(vector.data(), vectors.at(slot), vector.size()), slot);
  };
  if (nearest_ready) {
    std::ranges::for_each(nearest->nearest(vector, std::max(limit, kLeastNearest)), look_at);
  } else {
    for (Slot slot = 0; slot < places.size(); ++slot) look_at(slot);
  }
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(limit, found.size()));
  std::ranges::partial_sort(found, end, std::ranges::greater());
  std::vector<Neighbour> neighbours;
  for (auto each = found.begin(); each != end; ++each) {
    neighbours.push_back({places[each->second].memory, each->first});
  }
  return neighbours;
}

}  // namespace maas::ltm
