#pragma once

#include "ltm/mongo_client.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace maas::ltm {

// One connection at work on a change without a transaction. What it finds is read at once; what it
// is told to write is kept, and not seen by what it finds, until write() writes it in the order in
// which nothing that was acknowledged can be lost (settle()).
class LeasedSession final : public MongoSession {
 public:
  // Thrown when owners are counted whose leases are not held yet: to be taken, and the work begun
  // anew, for what it has read may have changed meanwhile.
  struct LeasesNeeded {
    std::vector<Owner> owners;
  };

  // `changes`: by owner whose lease is held, the number of this change.
  LeasedSession(const MongoOptions& options, _mongoc_client_t* client,
                const std::map<std::string, std::int64_t>& changes)
      : MongoSession(options, client, nullptr, Writes::durable), changes_(changes) {}

  void insert(Collection collection, std::span<const Document> documents) override;
  // Takes all to be there.
  std::size_t update(Collection collection, std::span<const Update> updates,
                     bool upsert = false) override;
  void remove(Collection collection, const Document& filter) override;
  std::map<std::string, std::int64_t> count_changes(std::span<const Owner> owners) override;

  bool has_writes() const;
  // Calls `before_each` before each request to the server. Throws what that throws, MongoError, and
  // Error{internal} if what is updated is not there.
  void write(const std::function<void()>& before_each);

 private:
  const std::map<std::string, std::int64_t>& changes_;
  std::vector<Document> inserted_;
  std::vector<Update> updated_;
  std::vector<Document> removed_;   // filters
  std::vector<Document> written_;   // history of what is there after the change
  std::vector<Document> removals_;  // history of what is not
};

}  // namespace maas::ltm
