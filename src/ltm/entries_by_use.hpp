#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace maas::ltm {

// What caches of partitions have in common: entries by key and by when they were used last, within
// a number of bytes. Of an Entry it needs `key`, which stays, and `bytes`, which is its own. Not
// thread-safe: its owner locks. What it lets go of is returned, to end after the lock.
template <class Entry>
class EntriesByUse {
 public:
  using Pointer = std::shared_ptr<Entry>;

  explicit EntriesByUse(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  bool empty() const { return by_key_.empty(); }

  // The entry of a key; null if there is none.
  Pointer find(const std::string& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : *found->second;
  }

  // The same; it becomes the last used.
  Pointer use(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return by_use_.front();
  }

  // Adds an entry whose key is not there, as the last used.
  void add(Pointer entry) {
    by_use_.push_front(std::move(entry));
    by_key_.emplace(by_use_.front()->key, by_use_.begin());
  }

  void remove(const Entry& entry) {
    const auto found = by_key_.find(entry.key);
    if (found == by_key_.end() || found->second->get() != &entry) return;
    bytes_ -= entry.bytes;
    by_use_.erase(found->second);
    by_key_.erase(found);
  }

  // An entry takes so many bytes from now on. Lets go of those unused for longest, but not of this
  // one, until the rest fits. Who uses one of them goes on with it as it is.
  std::vector<Pointer> count_bytes(const Pointer& entry, std::size_t bytes) {
    std::vector<Pointer> evicted;
    const auto found = by_key_.find(entry->key);
    if (found == by_key_.end() || *found->second != entry) return evicted;
    bytes_ += bytes - entry->bytes;
    entry->bytes = bytes;
    for (auto at = by_use_.end(); bytes_ > max_bytes_ && at != by_use_.begin();) {
      --at;
      if (*at == entry || (*at)->bytes == 0) continue;
      bytes_ -= (*at)->bytes;
      by_key_.erase((*at)->key);
      evicted.push_back(std::move(*at));
      at = by_use_.erase(at);
    }
    return evicted;
  }

 private:
  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;      // of all entries
  std::list<Pointer> by_use_;  // the last used first
  std::unordered_map<std::string, typename std::list<Pointer>::iterator> by_key_;
};

}  // namespace maas::ltm
