#include "ltm/search.hpp"

#include <algorithm>

namespace maas::ltm {

bool is_asked_for(const Memory& memory, const SearchQuery& query, Timestamp now) {
  if (expired(memory, now)) return false;
  if (!query.categories.empty() &&
      std::ranges::find(query.categories, memory.category) == query.categories.end()) {
    return false;
  }
  return !query.filter || matches(*query.filter, memory);
}

}  // namespace maas::ltm
