#pragma once

#include "ltm/partition_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace maas::ltm::test {

using Texts = std::map<std::string, std::string>;  // by id

inline constexpr std::size_t kDims = 4;
inline const Scope kUser{.user_id = "u"};
inline const PartitionCache::Use kNothing = [](const Partition&) {};
inline const Timestamp kTime{std::chrono::hours(24 * 365 * 50)};

inline llm::Vector vector_of(std::int64_t sequence) {
  llm::Vector vector(kDims, 0.5f);
  for (std::size_t i = 0; i < kDims; ++i) {
    if ((sequence >> i) & 1) vector[i] = -0.5f;
  }
  return vector;
}

// The texts of all memories in a partition: each holds the word "apple".
inline Texts texts_in(const Partition& partition) {
  Texts texts;
  const SearchQuery query{.text = "apple", .limit = 100'000};
  for (const SearchHit& hit : partition.search(query, kTime)) {
    texts[hit.memory->id] = hit.memory->text;
  }
  EXPECT_EQ(texts.size(), partition.size());
  return texts;
}

// A store: what is committed can be loaded at once, and is announced after that.
class PartitionStore {
 public:
  explicit PartitionStore(PartitionCacheOptions options)
      : cache(options, [this](std::string_view tenant, const Scope& scope, Partition& partition) {
          load(tenant, scope, partition);
        }) {}

  PartitionChange add(const std::string& id, Scope scope = {.user_id = "u"},
                      const std::string& tenant = "t") {
    const std::lock_guard lock(mutex_);
    ++last_sequence_;
    return put(tenant, {.id = id,
                        .scope = std::move(scope),
                        .text = "apple " + id,
                        .created_at = kTime + std::chrono::microseconds(last_sequence_),
                        .sequence = last_sequence_});
  }

  PartitionChange update(const std::string& id, const std::string& text) {
    const std::lock_guard lock(mutex_);
    const auto& row = rows_.at(id);
    Memory next = *row.memory;
    next.text = "apple " + text;
    ++next.version;
    return put(row.tenant, std::move(next));
  }

  PartitionChange remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    PartitionChange change = rows_.at(id);
    change.removed = true;
    rows_.erase(id);
    return change;
  }

  // The texts that a partition of the scope should hold.
  Texts texts(const std::string& tenant, const Scope& scope) {
    const std::lock_guard lock(mutex_);
    Texts texts;
    for (const auto& [id, row] : rows_) {
      if (row.tenant == tenant && contains(scope, row.memory->scope)) texts[id] = row.memory->text;
    }
    return texts;
  }

  // The texts that it holds.
  Texts read(const std::string& tenant = "t", const Scope& scope = {.user_id = "u"}) {
    Texts texts;
    cache.read(tenant, scope, [&](const Partition& partition) { texts = texts_in(partition); });
    return texts;
  }

  void publish(std::vector<PartitionChange> changes) { cache.publish(changes); }

  std::function<void()> before_load = [] {};
  std::function<void()> after_load = [] {};
  std::atomic<int> loads = 0;

 private:
  PartitionChange put(const std::string& tenant, Memory memory) {
    PartitionChange row{.tenant = tenant,
                        .memory = std::make_shared<const Memory>(memory),
                        .vector = vector_of(memory.sequence)};
    rows_[memory.id] = row;
    return row;
  }

  void load(std::string_view tenant, const Scope& scope, Partition& partition) {
    ++loads;
    before_load();
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, row] : rows_) {
        if (row.tenant == tenant && contains(scope, row.memory->scope)) {
          partition.put(row.memory, row.vector);
        }
      }
    }
    after_load();
  }

  std::mutex mutex_;
  std::map<std::string, PartitionChange> rows_;
  std::int64_t last_sequence_ = 0;

 public:
  PartitionCache cache;
};

inline PartitionCacheOptions options(std::size_t max_bytes = 64u << 20, std::size_t small = 2'000) {
  return {.max_bytes = max_bytes,
          .small = small,
          .partition = {.dims = kDims, .hnsw_threshold = 1'000, .language = "english"}};
}

}  // namespace maas::ltm::test
