#include "ltm/same_text.hpp"

#include "ltm/scope_key.hpp"
#include "text/folding.hpp"

#include <utility>

namespace maas::ltm {

std::string digest_of(const Scope& owner, Category category, std::string_view folded) {
  std::string bytes = scope_key({}, owner);
  bytes += to_string(category);
  bytes += ':';  // in no category's name
  bytes += folded;
  return text::digest(bytes);
}

std::vector<Folded> fold(const std::vector<NewMemory>& memories) {
  std::vector<Folded> folded;
  folded.reserve(memories.size());
  for (const auto& [memory, vector] : memories) {
    std::string text = text::folded_line(memory.text);
    std::string digest = digest_of(memory.scope, memory.category, text);
    folded.push_back({std::move(text), std::move(digest)});
  }
  return folded;
}

bool says_the_same(const Memory& other, const Memory& memory, std::string_view folded) {
  return other.scope == memory.scope && other.category == memory.category &&
         text::folded_line(other.text) == folded;
}

}  // namespace maas::ltm
