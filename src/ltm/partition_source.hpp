#pragma once

#include "core/error.hpp"
#include "core/memory.hpp"
#include "ltm/memory_row.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// How many changes there have been to the memories of one owner: those that have the same tenant
// and the same ids, given or not. It rises with every change, in the order of their commits.
struct OwnerChange {
  std::string owner;  // scope_key()
  std::int64_t change = 0;
};

// A scope holds more than a search may look at. Error{unavailable}.
class TooManyMemories : public Error {
 public:
  explicit TooManyMemories(std::size_t limit);
};

// A store that other processes write to, as a partition sees it. Thread-safe; functions block and
// throw what the store throws. Each sees at least all that was committed before it was called.
class PartitionSource {
 public:
  virtual ~PartitionSource() = default;

  // Of all owners in the scope that ever had a memory.
  virtual std::vector<OwnerChange> last_changes(std::string_view tenant, const Scope& scope) = 0;

  // Calls `visit` with every visible memory in the scope, perhaps twice. Throws TooManyMemories
  // if there are more than `most`.
  virtual void read_all(std::string_view tenant, const Scope& scope, std::size_t most,
                        const std::function<void(MemoryRow)>& visit) = 0;

  // Calls `changed` with every memory that was changed after what is known of its owner, as it is,
  // then `removed` with the id of every one that was removed since. A memory may come twice.
  virtual void read_changes(std::span<const OwnerChange> known,
                            const std::function<void(MemoryRow)>& changed,
                            const std::function<void(std::string)>& removed) = 0;
};

}  // namespace maas::ltm
