#include "ltm/speaker_table.hpp"

#include <algorithm>

namespace maas::ltm {

std::int32_t SpeakerTable::add(std::string_view name, bool told, Slot slot) {
  const auto [found, unknown] = numbers_by_name_.try_emplace(std::string(name), 0);
  if (unknown) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::int32_t>(entries_.size()));
      entries_.emplace_back();
    }
    found->second = free_.back();
    free_.pop_back();
    entries_[index(found->second)].name = name;
  }
  const std::int32_t number = found->second;
  const bool spoke = speaks(number);
  Entry& entry = entries_[index(number)];
  if (told) {
    ++entry.told;
  } else {
    entry.lines.push_back(slot);
  }
  refresh_speaking(number, spoke);
  return number;
}

void SpeakerTable::remove(std::int32_t number, bool told, Slot slot) {
  const bool spoke = speaks(number);
  Entry& entry = entries_[index(number)];
  if (told) {
    --entry.told;
  } else {
    std::erase(entry.lines, slot);
  }
  refresh_speaking(number, spoke);
  if (entry.told > 0 || !entry.lines.empty()) return;
  numbers_by_name_.erase(entry.name);
  entry = {};
  free_.push_back(number);
}

bool SpeakerTable::speaks(std::int32_t name) const {
  const Entry& entry = entries_[index(name)];
  return entry.told > 0 || entry.lines.size() >= kEnoughLines;
}

void SpeakerTable::refresh_speaking(std::int32_t name, bool spoke) {
  if (speaks(name) == spoke) return;
  if (spoke) {
    const auto at = std::ranges::find(numbers_, name) - numbers_.begin();
    numbers_.erase(numbers_.begin() + at);
    speaking_.erase(speaking_.begin() + at);
  } else {
    numbers_.push_back(name);
    speaking_.push_back(entries_[index(name)].name);
  }
}

std::size_t SpeakerTable::bytes() const {
  constexpr std::size_t kName = 256;  // in all the places that hold it
  return entries_.capacity() * kName;
}

}  // namespace maas::ltm
