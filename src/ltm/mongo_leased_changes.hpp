#pragma once

#include "ltm/mongo_client.hpp"
#include "ltm/mongo_lease.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace maas::ltm {

class LeasedSession;

// Changes on a server without transactions: of each owner one at a time, under its lease, written
// in an order from which settle() ends one whose process or server died in it. Readers see a change
// when it is counted, which is its last step. Thread-safe; functions block, and throw MongoError
// and Error{unavailable}.
class LeasedChanges {
 public:
  // Borrows the options.
  explicit LeasedChanges(const MongoOptions& options);

  // Does `work`, which is called again when it needs leases, or others had them meanwhile. Sets
  // `begun` before the first step that changes anything.
  void make(_mongoc_client_t* client, const MongoClient::Work& work, bool& begun);

  // Waits a while for the end of an owner's lease; settles the change of a holder who is gone.
  // Also where a server has got transactions since.
  void wait_for(_mongoc_client_t* client, const std::string& owner);

  // Settles the changes of holders who are gone.
  void settle_left(_mongoc_client_t* client);

 private:
  using Clock = std::chrono::steady_clock;

  // Somebody's lease, as one who waits for it sees it.
  struct Awaited {
    std::string holder;
    Clock::time_point asked_at;
  };

  void take(HeldLeases& leases, MongoSession& session, std::span<const Owner> owners);
  bool is_left(MongoSession& session, const Lease& lease, std::optional<Awaited>& awaited);
  void settle_lease(MongoSession& session, const Lease& lease);
  void write(MongoSession& session, HeldLeases& leases, LeasedSession& written);
  void settle_own(MongoSession& session, HeldLeases& leases);
  void give_back(HeldLeases& leases);
  void abandon(const std::string& holder);

  const MongoOptions& options_;
  const std::chrono::milliseconds life_;
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> abandoned_;  // holders of this process, that failed
};

}  // namespace maas::ltm
