#pragma once

#include "core/memory.hpp"
#include "ltm/long_term_memory.hpp"

#include <cstddef>
#include <span>

// Counts what becomes of memories.
namespace maas::ltm {

void count_remembered(Category category, std::span<const Remembered> remembered);
void count_updated(const Memory& memory);
void count_removed(std::size_t memories);
void count_expired(std::size_t memories);
void count_search(const SearchTiming& timing);

}  // namespace maas::ltm
