#pragma once

#include "ltm/term_index.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace maas::ltm {

// Who speaks in a scope. A name is a speaker's if a caller has told so, or if at least
// kEnoughLines memories begin with it ("Name: …").
class SpeakerTable {
 public:
  static constexpr std::size_t kEnoughLines = 3;

  // A memory whose speaker was told; or one that only begins with a name. Returns the name's
  // number. Numbers are small and may be used again after forget() of its last memory.
  std::int32_t add(std::string_view name, bool told, Slot slot);
  void remove(std::int32_t name, bool told, Slot slot);

  bool speaks(std::int32_t name) const;
  const std::string& name(std::int32_t name) const { return entries_[index(name)].name; }
  // The memories that only begin with the name.
  std::span<const Slot> lines(std::int32_t name) const { return entries_[index(name)].lines; }

  // The names that speak, and the number of each.
  const std::vector<std::string>& speaking() const { return speaking_; }
  std::int32_t number(std::size_t speaking) const { return numbers_[speaking]; }

  std::size_t bytes() const;

 private:
  struct Entry {
    std::string name;
    std::size_t told = 0;
    std::vector<Slot> lines;
  };

  static std::size_t index(std::int32_t name) { return static_cast<std::size_t>(name); }
  void refresh_speaking(std::int32_t name, bool spoke);

  std::vector<Entry> entries_;
  std::vector<std::int32_t> free_;
  std::unordered_map<std::string, std::int32_t> numbers_by_name_;
  std::vector<std::string> speaking_;
  std::vector<std::int32_t> numbers_;  // of those that speak
};

}  // namespace maas::ltm
