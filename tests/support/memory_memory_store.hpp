#pragma once

#include "core/error.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/metadata.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace maas::test {

// Keeps memories of one tenant in memory, without history and expiry, and finds what it is told to
// find. Not for several threads at once.
class MemoryMemoryStore final : public ltm::MemoryStore {
 public:
  std::string_view engine() const override { return "memory"; }
  Task<std::optional<std::string>> problem() override { co_return std::nullopt; }

  Task<std::vector<ltm::Added>> add(ltm::Caller, std::vector<ltm::NewMemory> memories) override {
    ++adds;
    if (fails) throw Error(Errc::unavailable, "the store is away");
    std::vector<ltm::Added> added;
    for (auto& [memory, vector] : memories) {
      const auto same = std::ranges::find_if(
          stored, [&](const auto& entry) { return entry.second.memory->text == memory.text; });
      if (same != stored.end()) {
        added.push_back({.memory = same->second.memory, .existed = true});
        continue;
      }
      memory.sequence = static_cast<std::int64_t>(stored.size() + 1);
      const std::string id = memory.id;
      Stored& entry = stored[id];
      entry = {std::make_shared<const Memory>(std::move(memory)), std::move(vector)};
      added.push_back({.memory = entry.memory});
    }
    co_return added;
  }

  Task<MemoryPtr> get(ltm::Caller, std::string_view id) override {
    const auto found = stored.find(id);
    MemoryPtr memory = found == stored.end() ? nullptr : found->second.memory;
    if (after_get) after_get();
    co_return memory;
  }

  Task<std::vector<MemoryPtr>> list(ltm::Caller, const Scope& scope,
                                    const ltm::ListQuery& query) override {
    std::vector<MemoryPtr> found;
    for (const auto& [id, entry] : stored) {
      const bool seen = query.after && entry.memory->sequence >= query.after->sequence;
      if (contains(scope, entry.memory->scope) && !seen) found.push_back(entry.memory);
    }
    std::ranges::sort(found, std::greater<>(), &Memory::sequence);
    found.resize(std::min(found.size(), query.limit));
    co_return found;
  }

  Task<MemoryPtr> update(ltm::Caller, const Memory& changed,
                         std::optional<llm::Vector> vector) override {
    const auto found = stored.find(changed.id);
    if (found == stored.end() || found->second.memory->version != changed.version) {
      co_return nullptr;
    }
    if (vector) found->second.vector = *std::move(vector);
    replace(changed);
    co_return found->second.memory;
  }

  Task<std::optional<ltm::Applied>> apply(ltm::Caller caller, ltm::Changes changes) override {
    if (before_apply) before_apply();
    for (const auto& [changed, vector] : changes.updated) {
      if (!is_current(changed)) co_return std::nullopt;
    }
    for (const MemoryPtr& memory : changes.removed) {
      if (!is_current(*memory)) co_return std::nullopt;
    }
    ltm::Applied applied;
    for (const MemoryPtr& memory : changes.removed) stored.erase(memory->id);
    for (auto& [changed, vector] : changes.updated) {
      MemoryPtr updated = co_await update(caller, changed, std::move(vector));
      applied.updated.push_back(std::move(updated));
    }
    applied.added = co_await add(caller, std::move(changes.added));
    co_return applied;
  }

  Task<std::vector<bool>> remove(ltm::Caller, std::span<const std::string> ids) override {
    std::vector<bool> removed;
    for (const std::string& id : ids) removed.push_back(stored.erase(id) > 0);
    co_return removed;
  }

  Task<std::size_t> remove_scope(ltm::Caller, const Scope& scope) override {
    co_return std::erase_if(
        stored, [&](const auto& entry) { return contains(scope, entry.second.memory->scope); });
  }

  Task<std::vector<std::string>> remove_expired(ltm::Caller) override {
    co_return std::vector<std::string>{};
  }

  Task<std::vector<ltm::HistoryEntry>> history(ltm::Caller, std::string_view) override {
    co_return std::vector<ltm::HistoryEntry>{};
  }

  Task<std::vector<std::string>> speakers(ltm::Caller, const Scope& scope) override {
    ++speaker_reads;
    if (scope.user_id == unreadable) throw Error(Errc::unavailable, "the scope is unreadable");
    co_return names;
  }

  Task<std::vector<ltm::SearchHit>> search(ltm::Caller, const Scope& scope,
                                           const ltm::SearchQuery& query) override {
    if (scope.user_id == unreadable) throw Error(Errc::unavailable, "the scope is unreadable");
    searches.push_back(query);
    std::vector<ltm::SearchHit> hits;
    for (const auto& [id, entry] : stored) hits.push_back({entry.memory, .5, {}});
    co_return hits;
  }

  Task<std::vector<ltm::Neighbour>> nearest(ltm::Caller, const Scope& scope,
                                            const llm::Vector& vector, std::size_t limit) override {
    std::vector<ltm::Neighbour> found;
    for (const auto& [id, entry] : stored) {
      if (!contains(scope, entry.memory->scope) || entry.vector.size() != vector.size()) continue;
      found.push_back({entry.memory,
                       std::inner_product(vector.begin(), vector.end(), entry.vector.begin(), 0.)});
    }
    std::ranges::sort(found, std::greater<>(), &ltm::Neighbour::cosine);
    found.resize(std::min(found.size(), limit));
    co_return found;
  }

  Task<std::vector<ltm::OwnedMemory>> waiting(ltm::Waiting what, std::int64_t after,
                                              std::size_t limit) override {
    std::vector<ltm::OwnedMemory> found;
    for (const auto& [id, entry] : stored) {
      const bool waits =
          what == ltm::Waiting::vector ? entry.vector.empty() : ltm::is_unprocessed(*entry.memory);
      if (waits && entry.memory->sequence > after) found.push_back({"tenant", entry.memory});
    }
    std::ranges::sort(found, {}, [](const auto& each) { return each.memory->sequence; });
    found.resize(std::min(found.size(), limit));
    co_return found;
  }

  Task<std::size_t> set_vectors(ltm::Caller, std::vector<MemoryPtr> memories,
                                std::vector<llm::Vector> vectors) override {
    std::size_t count = 0;
    for (std::size_t i = 0; i < memories.size(); ++i) {
      if (!is_current(*memories[i])) continue;
      stored[memories[i]->id].vector = std::move(vectors[i]);
      ++count;
    }
    co_return count;
  }

  Task<bool> sweep() override { co_return false; }

  bool is_current(const Memory& memory) const {
    const auto found = stored.find(memory.id);
    return found != stored.end() && found->second.memory->version == memory.version;
  }

  // Puts a new version in the place of the stored one, as another request would.
  void replace(Memory changed) {
    ++changed.version;
    MemoryPtr& memory = stored[changed.id].memory;
    memory = std::make_shared<const Memory>(std::move(changed));
  }

  struct Stored {
    MemoryPtr memory;
    llm::Vector vector;
  };
  std::map<std::string, Stored, std::less<>> stored;
  std::vector<std::string> names;         // who speaks
  std::string unreadable = "unreadable";  // the user whose scope can't be searched
  std::function<void()> after_get;
  std::function<void()> before_apply;
  bool fails = false;
  int adds = 0;
  int speaker_reads = 0;
  std::vector<ltm::SearchQuery> searches;
};

}  // namespace maas::test
