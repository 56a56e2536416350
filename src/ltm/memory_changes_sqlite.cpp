#include "ltm/memory_changes_sqlite.hpp"

#include "text/folding.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace maas::ltm {

using sqlite::Connection;

Added MemoryChanger::add(Connection& connection, NewMemory&& added, const Folded& folded) const {
  MemoryRows rows = rows_of(connection);
  if (auto same = rows.find_same(added.memory, folded.digest, folded.text, time_)) {
    return {.memory = std::make_shared<const Memory>(*std::move(same)), .existed = true};
  }
  if (space_.model.empty()) added.vector.clear();
  rows.insert(added.memory, folded.digest, added.vector);
  rows.insert_history(added.memory, nullptr, &added.memory.text, Event::add,
                      added.memory.updated_at);
  auto memory = std::make_shared<const Memory>(std::move(added.memory));
  announce(memory, std::move(added.vector));
  return {.memory = std::move(memory)};
}

MemoryPtr MemoryChanger::update(Connection& connection, const Memory& changed,
                                const std::string& folded,
                                std::optional<llm::Vector>& vector) const {
  MemoryRows rows = rows_of(connection);
  auto row = rows.find(changed.id);
  if (!row || expired(row->memory, time_) || row->memory.version != changed.version) return {};
  Memory next = changed;
  next.scope = row->memory.scope;
  next.sequence = row->memory.sequence;
  ++next.version;
  if (vector && space_.model.empty()) vector->clear();
  rows.update(next, digest_of(next.scope, next.category, folded), vector);
  rows.insert_history(next, &row->memory.text, &next.text, Event::update, next.updated_at);
  auto memory = std::make_shared<const Memory>(std::move(next));
  announce(memory, vector ? *std::move(vector) : std::move(row->vector));
  return memory;
}

bool MemoryChanger::are_current(Connection& connection, const Changes& changes) const {
  MemoryRows rows = rows_of(connection);
  const auto is_current = [&](const Memory& memory) {
    const auto row = rows.find(memory.id);
    return row && !expired(row->memory, time_) && row->memory.version == memory.version;
  };
  return std::ranges::all_of(changes.updated, is_current, &Changes::Update::changed) &&
         std::ranges::all_of(changes.removed,
                             [&](const MemoryPtr& memory) { return is_current(*memory); });
}

bool MemoryChanger::set_vector(Connection& connection, const Memory& memory,
                               llm::Vector& vector) const {
  MemoryRows rows = rows_of(connection);
  auto row = rows.find(memory.id);
  if (!row || row->memory.version != memory.version) return false;
  rows.set_vector(memory.id, vector);
  // Partitions take no version twice: it leaves and comes back.
  const auto same = std::make_shared<const Memory>(std::move(row->memory));
  announce_removal(same);
  announce(same, std::move(vector));
  return true;
}

bool MemoryChanger::remove(Connection& connection, std::string_view id) const {
  auto removed = rows_of(connection).remove(id);
  return removed && forget(connection, *std::move(removed));
}

bool MemoryChanger::forget(Connection& connection, Memory&& removed) const {
  rows_of(connection).insert_history(removed, &removed.text, nullptr, Event::remove, time_);
  const bool visible = !expired(removed, time_);
  announce_removal(std::make_shared<const Memory>(std::move(removed)));
  return visible;
}

void MemoryChanger::announce(MemoryPtr memory, llm::Vector vector) const {
  announced_.push_back(
      {.tenant = std::string(tenant_), .memory = std::move(memory), .vector = std::move(vector)});
}

void MemoryChanger::announce_removal(MemoryPtr memory) const {
  announced_.push_back(
      {.tenant = std::string(tenant_), .memory = std::move(memory), .vector = {}, .removed = true});
}

}  // namespace maas::ltm
