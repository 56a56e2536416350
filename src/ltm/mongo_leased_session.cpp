#include "ltm/mongo_leased_session.hpp"

#include "core/error.hpp"
#include "core/memory.hpp"
#include "ltm/memory_bson.hpp"

#include <algorithm>
#include <utility>

namespace maas::ltm {
namespace {

constexpr std::size_t kWrittenAtOnce = 200;  // documents

}  // namespace

void LeasedSession::insert(Collection collection, std::span<const Document> documents) {
  for (const Document& document : documents) {
    if (collection == Collection::memories) {
      inserted_.push_back(document);
    } else if (text_field(document.get(), "event") == to_string(Event::remove)) {
      removals_.push_back(document);
    } else {
      written_.push_back(document);
    }
  }
}

std::size_t LeasedSession::update(Collection, std::span<const Update> updates, bool) {
  for (const Update& update : updates) updated_.push_back(update);
  return updates.size();
}

void LeasedSession::remove(Collection, const Document& filter) { removed_.push_back(filter); }

std::map<std::string, std::int64_t> LeasedSession::count_changes(std::span<const Owner> owners) {
  std::map<std::string, std::int64_t> counted;
  LeasesNeeded needed;
  for (const Owner& owner : owners) {
    const auto held = changes_.find(owner.key);
    if (held == changes_.end()) {
      needed.owners.push_back(owner);
    } else {
      counted.insert(*held);
    }
  }
  if (!needed.owners.empty()) throw needed;
  return counted;
}

bool LeasedSession::has_writes() const {
  return !inserted_.empty() || !updated_.empty() || !removed_.empty() || !written_.empty() ||
         !removals_.empty();
}

// A removal is told by the history only when all else is written: so what an interrupted change has
// removed has been replaced, too.
void LeasedSession::write(const std::function<void()>& before_each) {
  const auto in_parts = [&](const auto& all, auto write_some) {
    for (std::size_t begin = 0; begin < all.size(); begin += kWrittenAtOnce) {
      before_each();
      write_some(std::span(all).subspan(begin, std::min(kWrittenAtOnce, all.size() - begin)));
    }
  };
  const auto put = [this](std::span<const Document> history) {
    MongoSession::replace(Collection::history, history);
  };
  in_parts(written_, put);
  in_parts(inserted_, [this](std::span<const Document> memories) {
    MongoSession::insert(Collection::memories, memories);
  });
  in_parts(updated_, [this](std::span<const Update> memories) {
    if (MongoSession::update(Collection::memories, memories) != memories.size()) {
      throw Error(Errc::internal, "Internal Server Error",
                  "a memory changed under the lease of its owner");
    }
  });
  in_parts(removals_, put);
  for (const Document& filter : removed_) {
    before_each();
    MongoSession::remove(Collection::memories, filter);
  }
}

}  // namespace maas::ltm
