#include "ltm/large_scopes.hpp"

#include <cstddef>

namespace maas::ltm {
namespace {

constexpr std::chrono::minutes kStaysLarge{1};
// Forgetting all of them costs each one try.
constexpr std::size_t kMost = 10'000;

}  // namespace

bool LargeScopes::contains(const std::string& scope) {
  const std::lock_guard lock(mutex_);
  const auto found = added_.find(scope);
  if (found == added_.end()) return false;
  if (Clock::now() - found->second < kStaysLarge) return true;
  added_.erase(found);
  return false;
}

void LargeScopes::add(const std::string& scope) {
  const std::lock_guard lock(mutex_);
  if (added_.size() >= kMost) added_.clear();
  added_[scope] = Clock::now();
}

}  // namespace maas::ltm
