#pragma once

#include "core/time.hpp"
#include "ltm/term_index.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace maas::ltm {

// How near memories are to each other in time: within a session, a run of memories of the same
// session id without a pause of more than an hour, each has one before it and one after it.
// Memories of equal time follow in the order of their arrival.
class Timeline {
 public:
  static constexpr std::chrono::hours kPause{1};

  // Puts a slot where its time and sequence say.
  void insert(Slot slot, std::string_view session_id, Timestamp time, std::int64_t sequence);
  void remove(Slot slot, std::string_view session_id);

  Timestamp time(Slot slot) const { return places_[slot].time; }
  std::int64_t sequence(Slot slot) const { return places_[slot].sequence; }

  // kNoSlot: the session begins, or ends, here.
  Slot before(Slot slot) const { return links_[slot].before; }
  Slot after(Slot slot) const { return links_[slot].after; }

  std::size_t bytes() const;

 private:
  struct Place {
    Timestamp time{};
    std::int64_t sequence = 0;
  };
  struct Link {
    Slot before = kNoSlot;
    Slot after = kNoSlot;
  };
  using Chain = std::vector<Slot>;  // all memories of a session id, in order

  Chain::iterator find(Chain& chain, Slot slot);
  void join(Slot earlier, Slot later);

  std::vector<Place> places_;  // by slot
  std::vector<Link> links_;    // by slot, apart for the searches that follow them
  std::unordered_map<std::string, Chain> chains_;
};

}  // namespace maas::ltm
