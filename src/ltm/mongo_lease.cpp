#include "ltm/mongo_lease.hpp"

#include "ltm/memory_bson.hpp"
#include "ltm/mongo_error.hpp"

#include <algorithm>
#include <utility>

namespace maas::ltm {
namespace {

using Clock = std::chrono::steady_clock;

// Owners in one filter: it has to stay far below 16 MB.
constexpr std::size_t kAtOnce = 500;

Document with(std::string_view key, const auto& value) {
  Document document;
  document.set(key, value);
  return document;
}

Lease lease_of(const _bson_t* document) {
  return {.owner = text_field(document, "_id"),
          .holder = text_field(document, "lease_holder"),
          .leased_at = date_field(document, "leased_at"),
          .lease_ms = number_field(document, "lease_ms"),
          .change = number_field(document, "n")};
}

}  // namespace

std::optional<Lease> find_lease(MongoSession& session, const std::string& owner) {
  std::optional<Lease> found;
  session.find(Collection::owners, with("_id", owner), {}, [&found](const _bson_t* document) {
    found = lease_of(document);
    return false;
  });
  if (found && found->holder.empty()) found.reset();
  return found;
}

std::vector<Lease> find_leases(MongoSession& session, std::size_t limit) {
  std::vector<Lease> found;
  session.find(Collection::owners, with("lease_holder", with("$gt", "")),
               with("limit", static_cast<std::int64_t>(limit)), [&found](const _bson_t* document) {
                 found.push_back(lease_of(document));
                 return true;
               });
  return found;
}

Document HeldLeases::taking() const {
  Document set, update;
  set.set("lease_holder", holder_).set("lease_ms", std::int64_t{life_.count()});
  update.set("$set", set).set("$currentDate", with("leased_at", true));
  return update;
}

std::optional<Lease> HeldLeases::take(std::span<const Owner> owners) {
  std::vector<MongoSession::Update> updates;
  std::vector<std::string> wanted;
  for (const Owner& owner : owners) {
    if (changes_.contains(owner.key)) continue;
    Document filter, update = taking(), made = owner.fields;
    filter.set("_id", owner.key).set("lease_holder", with("$exists", false));
    update.set("$setOnInsert", made.set("n", std::int64_t{0}));
    updates.push_back({std::move(filter), std::move(update)});
    wanted.push_back(owner.key);
  }
  if (!taken_at_) taken_at_ = Clock::now();
  bool all = true;
  try {
    session_.update(Collection::owners, updates, true);
  } catch (const MongoError& error) {
    // The first that somebody has ends the rest: with its key it can't be made, either.
    if (!error.meaning().duplicate) throw;
    all = false;
  }
  see_which_are_held(owners);
  if (all && std::ranges::all_of(wanted, [this](auto& key) { return changes_.contains(key); })) {
    return std::nullopt;
  }
  for (const std::string& key : wanted) {
    if (changes_.contains(key)) continue;
    // Ended since: to be tried again at once, as one that nobody has.
    return find_lease(session_, key).value_or(Lease{.owner = key});
  }
  return std::nullopt;
}

void HeldLeases::see_which_are_held(std::span<const Owner> owners) {
  for (std::size_t begin = 0; begin < owners.size(); begin += kAtOnce) {
    std::vector<std::string> keys;
    for (const Owner& each : owners.subspan(begin, std::min(kAtOnce, owners.size() - begin))) {
      keys.push_back(each.key);
    }
    Document filter = with("_id", with("$in", std::span<const std::string>(keys)));
    session_.find(Collection::owners, filter.set("lease_holder", holder_), {},
                  [this](const _bson_t* document) {
                    changes_[text_field(document, "_id")] = number_field(document, "n") + 1;
                    return true;
                  });
  }
}

bool HeldLeases::take_over(const Lease& lease) {
  Document filter;
  filter.set("_id", lease.owner).set("lease_holder", lease.holder);
  const MongoSession::Update updates[] = {{std::move(filter), taking()}};
  if (!taken_at_) taken_at_ = Clock::now();
  if (session_.update(Collection::owners, updates) == 0) return false;
  changes_[lease.owner] = lease.change + 1;
  return true;
}

bool HeldLeases::release(bool counted) {
  Document gone;
  gone.set("lease_holder", "").set("leased_at", "").set("lease_ms", "");
  std::vector<MongoSession::Update> updates;
  for (const auto& [owner, change] : changes_) {
    Document filter, update;
    filter.set("_id", owner).set("lease_holder", holder_);
    if (counted) update.set("$set", with("n", change));
    update.set("$unset", gone);
    updates.push_back({std::move(filter), std::move(update)});
  }
  const bool all = session_.update(Collection::owners, updates) == updates.size();
  changes_.clear();
  taken_at_.reset();
  return all;
}

Clock::duration HeldLeases::age() const {
  return taken_at_ ? Clock::now() - *taken_at_ : Clock::duration();
}

}  // namespace maas::ltm
