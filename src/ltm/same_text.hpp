#pragma once

#include "core/memory.hpp"
#include "ltm/memory_store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// What memories of one owner have in common that say the same; `folded` is the folded text.
std::string digest_of(const Scope& owner, Category category, std::string_view folded);

// The form in which a memory's text is compared with others.
struct Folded {
  std::string text;
  std::string digest;
};

std::vector<Folded> fold(const std::vector<NewMemory>& memories);

// Whether `other` says the same for the same owner in the same category; `folded` is the folded
// text of `memory`. The digest is no proof: a text may be made to have another's.
bool says_the_same(const Memory& other, const Memory& memory, std::string_view folded);

}  // namespace maas::ltm
