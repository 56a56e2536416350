#pragma once

#include "core/time.hpp"
#include "ltm/mongo_client.hpp"
#include "ltm/partition_source.hpp"

#include <cstddef>
#include <functional>

namespace maas::ltm {

// The memories of a MongoDB server as partitions see them. Borrows the client. Vectors are not read
// for a space without dimensions. Refuses scopes of too many memories before it reads them.
class MongoPartitionSource final : public PartitionSource {
 public:
  MongoPartitionSource(MongoClient& client, VectorSpace space, std::function<Timestamp()> clock)
      : client_(client), space_(std::move(space)), clock_(std::move(clock)) {}

  std::vector<OwnerChange> last_changes(std::string_view tenant, const Scope& scope) override;
  void read_all(std::string_view tenant, const Scope& scope, std::size_t most,
                const std::function<void(MemoryRow)>& visit) override;
  void read_changes(std::span<const OwnerChange> known,
                    const std::function<void(MemoryRow)>& changed,
                    const std::function<void(std::string)>& removed) override;

 private:
  Document what_is_read() const;

  MongoClient& client_;
  VectorSpace space_;
  std::function<Timestamp()> clock_;
};

}  // namespace maas::ltm
