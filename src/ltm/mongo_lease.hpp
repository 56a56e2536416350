#pragma once

#include "ltm/mongo_client.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace maas::ltm {

// The right to change the memories of an owner, of one holder at a time, where a server has no
// transactions. The owner's document tells it:
//   lease_holder  unlike any other's
//   leased_at     the server's time, so that nobody's clock matters
//   lease_ms      after so long the holder is taken to be gone
struct Lease {
  std::string owner = {};
  std::string holder = {};
  std::int64_t leased_at = 0;  // ms
  std::int64_t lease_ms = 0;
  std::int64_t change = 0;  // how many changes of the owner have been counted

  // By the server's time, in ms.
  bool has_ended(std::int64_t time) const { return time - leased_at > lease_ms; }
};

// Nullopt: nobody has the owner's.
std::optional<Lease> find_lease(MongoSession& session, const std::string& owner);

// Up to `limit` that somebody has.
std::vector<Lease> find_leases(MongoSession& session, std::size_t limit);

// The leases of one holder, for one change. All functions block, and throw MongoError.
class HeldLeases {
 public:
  // Borrows the session.
  HeldLeases(MongoSession& session, std::string holder, std::chrono::milliseconds life)
      : session_(session), holder_(std::move(holder)), life_(life) {}

  // Takes those of the owners, which are in the order of their keys, one by one up to the first
  // that another has; nullopt: all. As all take them in this order, nobody waits for whom waits
  // for him. What is held already stays so.
  std::optional<Lease> take(std::span<const Owner> owners);

  // Takes a lease over from a holder who is gone. False: another was faster.
  bool take_over(const Lease& lease);

  // By owner, the number that a change of it has.
  const std::map<std::string, std::int64_t>& changes() const { return changes_; }

  // Ends all; `counted`: the changes have been made, and count from now on. False: some weren't
  // held any more.
  bool release(bool counted);

  const std::string& holder() const { return holder_; }
  // Since the first was taken; zero: none is held.
  std::chrono::steady_clock::duration age() const;
  std::chrono::milliseconds life() const { return life_; }

 private:
  Document taking() const;
  void see_which_are_held(std::span<const Owner> owners);

  MongoSession& session_;
  const std::string holder_;
  const std::chrono::milliseconds life_;
  std::optional<std::chrono::steady_clock::time_point> taken_at_;
  std::map<std::string, std::int64_t> changes_;
};

}  // namespace maas::ltm
