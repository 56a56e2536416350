#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace maas::ltm {

// Scopes that were found to be too large for one way of searching them. Each is taken to be so for
// a minute; then it is tried again, for memories may have been removed. Thread-safe.
class LargeScopes {
 public:
  // By scope_key().
  bool contains(const std::string& scope);
  void add(const std::string& scope);

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point> added_;
};

}  // namespace maas::ltm
