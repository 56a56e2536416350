#pragma once

#include "core/time.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/partition_source.hpp"

#include <cstddef>
#include <functional>

namespace maas::ltm {

// The memories of a MongoDB server as partitions see them. Borrows client and space. Refuses scopes
// of more than `max_memories` before it reads them.
class MongoPartitionSource final : public PartitionSource {
 public:
  MongoPartitionSource(MongoClient& client, const VectorSpace& space, std::size_t max_memories,
                       std::function<Timestamp()> clock)
      : client_(client), space_(space), max_memories_(max_memories), clock_(std::move(clock)) {}

  std::vector<OwnerChange> last_changes(std::string_view tenant, const Scope& scope) override;
  void read_all(std::string_view tenant, const Scope& scope,
                const std::function<void(MemoryRow)>& visit) override;
  void read_changes(std::span<const OwnerChange> known,
                    const std::function<void(MemoryRow)>& changed,
                    const std::function<void(std::string)>& removed) override;

 private:
  MongoClient& client_;
  const VectorSpace& space_;
  std::size_t max_memories_;
  std::function<Timestamp()> clock_;
};

}  // namespace maas::ltm
