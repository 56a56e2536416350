#include "ltm/timeline.hpp"

#include <algorithm>
#include <tuple>

namespace maas::ltm {

Timeline::Chain::iterator Timeline::find(Chain& chain, Slot slot) {
  const auto key = [this](Slot at) { return std::tie(places_[at].time, places_[at].sequence); };
  // Memories mostly come in the order of their times.
  if (chain.empty() || key(chain.back()) < key(slot)) return chain.end();
  return std::ranges::lower_bound(chain, key(slot), {}, key);
}

// Links neighbours of a chain, unless there is a pause between them.
void Timeline::join(Slot earlier, Slot later) {
  const bool near = earlier != kNoSlot && later != kNoSlot &&
                    places_[later].time - places_[earlier].time <= kPause;
  if (earlier != kNoSlot) links_[earlier].after = near ? later : kNoSlot;
  if (later != kNoSlot) links_[later].before = near ? earlier : kNoSlot;
}

void Timeline::insert(Slot slot, std::string_view session_id, Timestamp time,
                      std::int64_t sequence) {
  if (links_.size() <= slot) {
    places_.resize(slot + 1);
    links_.resize(slot + 1);
  }
  places_[slot] = {.time = time, .sequence = sequence};
  Chain& chain = chains_[std::string(session_id)];
  const auto at = find(chain, slot);
  const Slot later = at == chain.end() ? kNoSlot : *at;
  const Slot earlier = at == chain.begin() ? kNoSlot : *(at - 1);
  join(earlier, slot);
  join(slot, later);
  chain.insert(at, slot);
}

void Timeline::remove(Slot slot, std::string_view session_id) {
  const auto chain = chains_.find(std::string(session_id));
  const auto at = find(chain->second, slot);
  const Slot later = at + 1 == chain->second.end() ? kNoSlot : *(at + 1);
  const Slot earlier = at == chain->second.begin() ? kNoSlot : *(at - 1);
  chain->second.erase(at);
  if (chain->second.empty()) chains_.erase(chain);
  join(earlier, later);
}

std::size_t Timeline::bytes() const {
  constexpr std::size_t kChain = 128;  // a node of the map with its key
  return links_.capacity() * (sizeof(Place) + sizeof(Link) + sizeof(Slot)) +
         chains_.size() * kChain;
}

}  // namespace maas::ltm
