#include "ltm/mongo_leased_changes.hpp"

#include "core/ids.hpp"
#include "core/log.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/mongo_leased_session.hpp"
#include "ltm/mongo_pause.hpp"
#include "ltm/mongo_settlement.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Much longer than a change takes: it has half of this time, and ends long before.
constexpr milliseconds kLeastLife{30'000};
constexpr int kAnswersInLife = 4;
// How long a change waits for the leases of others.
constexpr milliseconds kPatience{5'000};
// Between questions for the server's time.
constexpr milliseconds kAskingPause{500};
// A request that got no answer may still be carried out. After so many times the limit of an answer
// it has been, or is lost.
constexpr int kAnswersToSettle = 2;
constexpr std::size_t kSettledAtOnce = 100;
// Work that needs other leases each time it begins anew does so no more often.
constexpr int kMostAttempts = 20;

Error too_many() {
  return Error(Errc::unavailable, "Too many change the same memories at once; try again");
}

MongoError unconfirmed(const MongoError& error) {
  return error.in_words("MongoDB did not confirm the change; whether it was made is unknown");
}

}  // namespace

LeasedChanges::LeasedChanges(const MongoOptions& options)
    : options_(options), life_(std::max(kLeastLife, kAnswersInLife * options.timeout)) {}

void LeasedChanges::make(_mongoc_client_t* client, const MongoClient::Work& work, bool& begun) {
  MongoSession session(options_, client, nullptr, MongoSession::Writes::durable);
  HeldLeases leases(session, make_id(), life_);
  std::map<std::string, Owner> needed;  // in the order of their keys
  for (int attempt = 1; attempt <= kMostAttempts; ++attempt) {
    LeasedSession reading(options_, client, leases.changes());
    std::optional<LeasedSession::LeasesNeeded> more;
    try {
      work(reading);
    } catch (LeasedSession::LeasesNeeded& missing) {
      more = std::move(missing);
    } catch (...) {
      give_back(leases);
      throw;
    }
    if (!more) {
      begun = begun || reading.has_writes();
      return write(session, leases, reading);
    }
    give_back(leases);
    begun = true;
    for (Owner& owner : more->owners) needed.emplace(owner.key, std::move(owner));
    std::vector<Owner> owners;
    for (const auto& [key, owner] : needed) owners.push_back(owner);
    take(leases, session, owners);
  }
  give_back(leases);
  throw too_many();
}

void LeasedChanges::take(HeldLeases& leases, MongoSession& session, std::span<const Owner> owners) {
  const auto end = Clock::now() + kPatience;
  std::optional<Awaited> awaited;
  try {
    for (int attempt = 1;; ++attempt) {
      const std::optional<Lease> others = leases.take(owners);
      if (!others) return;
      if (!others->holder.empty() && is_left(session, *others, awaited)) {
        settle_lease(session, *others);
        continue;
      }
      if (Clock::now() >= end) throw too_many();
      pause_after(attempt);
    }
  } catch (const MongoError&) {
    // Which are held isn't known.
    abandon(leases.holder());
    throw;
  } catch (...) {
    give_back(leases);
    throw;
  }
}

// Whether a holder is gone, and with it all that it has asked the server for.
bool LeasedChanges::is_left(MongoSession& session, const Lease& lease,
                            std::optional<Awaited>& awaited) {
  const auto now = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    const auto own = abandoned_.find(lease.holder);
    if (own != abandoned_.end() && now - own->second > kAnswersToSettle * options_.timeout) {
      return true;
    }
  }
  if (!awaited || awaited->holder != lease.holder) {
    awaited = {.holder = lease.holder, .asked_at = now};
    return false;
  }
  if (now - awaited->asked_at < kAskingPause) return false;
  awaited->asked_at = now;
  return lease.has_ended(session.server_time());
}

void LeasedChanges::settle_lease(MongoSession& session, const Lease& lease) {
  HeldLeases leases(session, make_id(), life_);
  try {
    if (!leases.take_over(lease)) return;
    settle(session, lease.owner, lease.change + 1);
    leases.release(true);
  } catch (const MongoError&) {
    abandon(leases.holder());
    throw;
  }
  const std::lock_guard lock(mutex_);
  abandoned_.erase(lease.holder);
}

void LeasedChanges::write(MongoSession& session, HeldLeases& leases, LeasedSession& written) {
  const auto check_time = [&leases] {
    if (leases.age() > leases.life() / 2) {
      throw Error(Errc::unavailable, "MongoDB takes too long for this change; try again");
    }
  };
  if (!written.has_writes()) return give_back(leases);
  try {
    written.write(check_time);
  } catch (const MongoError& error) {
    if (error.meaning().network || error.meaning().unusable) {
      abandon(leases.holder());
      throw unconfirmed(error);
    }
    settle_own(session, leases);
    throw;
  } catch (...) {
    settle_own(session, leases);
    throw;
  }
  try {
    if (leases.release(true)) return;
  } catch (const MongoError& error) {
    abandon(leases.holder());
    throw unconfirmed(error);
  }
  throw Error(Errc::unavailable,
              "MongoDB did not confirm the change; whether it was made is unknown",
              "the lease of an owner was lost");
}

// What the server has refused in the middle: what was written before that is undone.
void LeasedChanges::settle_own(MongoSession& session, HeldLeases& leases) {
  try {
    for (const auto& [owner, change] : leases.changes()) settle(session, owner, change);
    leases.release(true);
  } catch (const Error& error) {
    log::warn("a change of memories that failed is left to be settled later",
              {{"reason", error.what()}, {"detail", error.detail()}});
    abandon(leases.holder());
  }
}

void LeasedChanges::give_back(HeldLeases& leases) {
  try {
    leases.release(false);
  } catch (const Error& error) {
    log::warn("a lease is left to end by itself",
              {{"reason", error.what()}, {"detail", error.detail()}});
    abandon(leases.holder());
  }
}

// Nobody else knows that this holder is gone, until its time ends.
void LeasedChanges::abandon(const std::string& holder) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  std::erase_if(abandoned_, [&](const auto& each) { return now - each.second > life_; });
  abandoned_[holder] = now;
}

void LeasedChanges::wait_for(_mongoc_client_t* client, const std::string& owner) {
  MongoSession session(options_, client, nullptr, MongoSession::Writes::durable);
  const auto end = Clock::now() + kPatience;
  std::optional<Awaited> awaited;
  for (int attempt = 1;; ++attempt) {
    const std::optional<Lease> lease = find_lease(session, owner);
    if (!lease) return;
    if (is_left(session, *lease, awaited)) return settle_lease(session, *lease);
    if (Clock::now() >= end) throw too_many();
    pause_after(attempt);
  }
}

void LeasedChanges::settle_left(_mongoc_client_t* client) {
  MongoSession session(options_, client, nullptr, MongoSession::Writes::durable);
  const std::vector<Lease> leases = find_leases(session, kSettledAtOnce);
  if (leases.empty()) return;
  const std::int64_t time = session.server_time();
  for (const Lease& lease : leases) {
    if (lease.has_ended(time)) settle_lease(session, lease);
  }
}

}  // namespace maas::ltm
