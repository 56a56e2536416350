#pragma once

#include "ltm/term_index.hpp"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace maas::ltm {

// Sums by slot, and the slots that have one, each once. Whether a slot is new can't be foretold, so
// there is no branch for it: this is where a search spends most of its time.
class SparseSums {
 public:
  void fit(std::size_t slots) {
    if (sums_.size() > slots) return;
    sums_.resize(slots + 1);
    slots_.resize(slots + 1);  // one is written beyond the last
  }

  void add(Slot slot, float value) {
    slots_[size_] = slot;
    size_ += sums_[slot] == 0;
    sums_[slot] += value;
  }

  float operator[](Slot slot) const { return sums_[slot]; }
  std::span<Slot> slots() { return {slots_.data(), size_}; }

  // Calls `visit(slot, sum)` for each and leaves none.
  template <class Visit>
  void drain(Visit visit) {
    for (const Slot slot : slots()) visit(slot, std::exchange(sums_[slot], 0.f));
    size_ = 0;
  }

 private:
  std::vector<float> sums_;
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace maas::ltm
