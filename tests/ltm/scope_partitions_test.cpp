#include "ltm/scope_partitions.hpp"

#include "core/error.hpp"
#include "ltm/scope_key.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace maas::ltm {
namespace {

using namespace std::chrono_literals;
using Texts = std::multiset<std::string>;

const Timestamp kTime{std::chrono::hours(24 * 365 * 50)};
const Scope kUser{.user_id = "u"};
constexpr std::size_t kMost = 100;

// A store that others write to.
class FakeSource final : public PartitionSource {
 public:
  void put(const std::string& id, const std::string& text, const Scope& owner = kUser,
           std::optional<Timestamp> expires_at = {}) {
    const std::lock_guard lock(mutex_);
    Stored& stored = stored_[id];
    const std::int64_t version = stored.row.memory.version + (stored.removed ? 0 : 1);
    stored.row = {{.id = id,
                   .scope = owner,
                   .text = "apple " + text,
                   .created_at = kTime + std::chrono::hours(2 * ++sequence_),
                   .expires_at = expires_at,
                   .version = version,
                   .sequence = sequence_},
                  {}};
    stored.removed = false;
    stored.change = ++changes_[scope_key("t", owner)].change;
    changes_[scope_key("t", owner)].scope = owner;
  }

  void set_vector(const std::string& id, llm::Vector vector) {
    const std::lock_guard lock(mutex_);
    Stored& stored = stored_.at(id);
    stored.row.vector = std::move(vector);
    stored.change = ++changes_[scope_key("t", stored.row.memory.scope)].change;
  }

  void remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    Stored& stored = stored_.at(id);
    stored.removed = true;
    stored.change = ++changes_[scope_key("t", stored.row.memory.scope)].change;
  }

  std::vector<OwnerChange> last_changes(std::string_view, const Scope& scope) override {
    std::vector<OwnerChange> changes;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, owner] : changes_) {
        if (contains(scope, owner.scope)) changes.push_back({key, owner.change});
      }
    }
    call(after_changes);
    return changes;
  }

  void read_all(std::string_view, const Scope& scope, std::size_t,
                const std::function<void(MemoryRow)>& visit) override {
    ++loads;
    call(before_read);
    const std::lock_guard lock(mutex_);
    for (const auto& [id, stored] : stored_) {
      if (!stored.removed && contains(scope, stored.row.memory.scope)) visit(stored.row);
    }
  }

  void read_changes(std::span<const OwnerChange> known,
                    const std::function<void(MemoryRow)>& changed,
                    const std::function<void(std::string)>& removed) override {
    call(before_read);
    const auto each = [&](bool gone, const auto& visit) {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, stored] : stored_) {
        for (const auto& [owner, change] : known) {
          if (stored.removed == gone && scope_key("t", stored.row.memory.scope) == owner &&
              stored.change > change) {
            ++rows;
            visit(stored);
          }
        }
      }
    };
    each(false, [&](const Stored& stored) { changed(stored.row); });
    call(between_reads);
    each(true, [&](const Stored& stored) { removed(stored.row.memory.id); });
  }

  std::function<void()> after_changes = [] {};
  std::function<void()> before_read = [] {};
  std::function<void()> between_reads = [] {};
  std::atomic<int> loads = 0;
  std::atomic<int> rows = 0;

 private:
  // A copy: it may put another in its own place.
  static void call(std::function<void()> hook) { hook(); }

  struct Stored {
    MemoryRow row;
    bool removed = true;
    std::int64_t change = 0;
  };
  struct Owner {
    Scope scope;
    std::int64_t change = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Stored> stored_;
  std::map<std::string, Owner> changes_;
  std::int64_t sequence_ = 0;
};

struct ScopePartitionsTest : testing::Test {
  ScopePartitionsOptions options() {
    return {.partition = {.dims = 2, .language = "english"}, .clock = [this] { return time; }};
  }

  Texts texts(const Scope& scope = kUser) { return texts_in(partitions, scope); }

  Texts texts_in(ScopePartitions& from, const Scope& scope = kUser) {
    Texts found;
    from.read("t", scope, kMost, [&](const Partition& partition) {
      for (const SearchHit& hit : partition.search({.text = "apple", .limit = 1000}, time)) {
        found.insert(hit.memory->text.substr(6));
      }
      EXPECT_EQ(found.size(), partition.size());
    });
    return found;
  }

  Timestamp time = kTime;
  FakeSource source;
  ScopePartitions partitions{options(), source};
};

TEST_F(ScopePartitionsTest, FollowsWhatOthersChange) {
  EXPECT_EQ(texts(), Texts{});
  source.put("1", "one");
  EXPECT_EQ(texts(), Texts{"one"});
  source.put("2", "two");
  source.put("1", "uno");
  EXPECT_EQ(texts(), (Texts{"uno", "two"}));
  source.remove("1");
  EXPECT_EQ(texts(), Texts{"two"});
  EXPECT_EQ(source.loads, 1);
}

TEST_F(ScopePartitionsTest, ReadsOnlyWhatChanged) {
  for (int i = 0; i < 50; ++i) source.put(std::to_string(i), std::to_string(i));
  EXPECT_EQ(texts().size(), 50u);
  source.rows = 0;
  EXPECT_EQ(texts().size(), 50u);
  EXPECT_EQ(source.rows, 0);
  source.put("7", "seven");
  source.remove("8");
  EXPECT_EQ(texts().size(), 49u);
  EXPECT_EQ(source.rows, 2);
  EXPECT_EQ(source.loads, 1);
}

TEST_F(ScopePartitionsTest, HoldsTheMemoriesOfAllOwnersInAScope) {
  source.put("1", "one", {"u", "a", ""});
  EXPECT_EQ(texts(), Texts{"one"});
  source.put("2", "two", {"u", "b", "s"});  // an owner that had none
  source.put("3", "three", {"v", "a", ""});
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
  EXPECT_EQ(texts({.agent_id = "a"}), (Texts{"one", "three"}));
  source.remove("1");
  EXPECT_EQ(texts(), Texts{"two"});
  EXPECT_EQ(texts({.agent_id = "a"}), Texts{"three"});
}

TEST_F(ScopePartitionsTest, TakesAnotherVectorOfTheSameVersion) {
  source.put("1", "one");
  EXPECT_EQ(texts(), Texts{"one"});
  source.set_vector("1", {1, 0});
  partitions.read("t", kUser, kMost, [this](const Partition& partition) {
    EXPECT_EQ(partition.nearest(std::vector<float>{1, 0}, 1, time).size(), 1u);
  });
}

TEST_F(ScopePartitionsTest, HidesWhatExpiresWithoutBeingTold) {
  source.put("1", "one", kUser, kTime + 1s);
  source.put("2", "two");
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
  time += 1s;
  EXPECT_EQ(texts(), Texts{"two"});
}

// What is committed between the question for changes and the reading comes in, and comes again.
TEST_F(ScopePartitionsTest, TakesWhatHappensWhileItReads) {
  source.put("1", "one");
  source.after_changes = [this] {
    source.after_changes = [] {};
    source.put("2", "two");
  };
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
  source.put("3", "three");
  source.after_changes = [this] {
    source.after_changes = [] {};
    source.remove("1");
  };
  EXPECT_EQ(texts(), (Texts{"two", "three"}));
  source.put("4", "four");
  source.between_reads = [this] {
    source.between_reads = [] {};
    source.remove("4");
  };
  EXPECT_EQ(texts(), (Texts{"two", "three"}));
  EXPECT_EQ(texts(), (Texts{"two", "three"}));
}

TEST_F(ScopePartitionsTest, AsksNobodyForARoughLookUnlessThisProcessChangedSomething) {
  const auto rough = [this] {
    std::size_t size = 0;
    partitions.read_roughly("t", kUser, kMost,
                            [&](const Partition& found) { size = found.size(); });
    return size;
  };
  EXPECT_EQ(rough(), 0u);
  int questions = 0;
  source.after_changes = [&questions] { ++questions; };
  source.put("1", "one");
  EXPECT_EQ(rough(), 0u);
  EXPECT_EQ(questions, 0);
  partitions.note_change();
  EXPECT_EQ(rough(), 1u);
  EXPECT_EQ(questions, 1);
  EXPECT_EQ(rough(), 1u);
  EXPECT_EQ(questions, 1);
}

TEST_F(ScopePartitionsTest, StaysAsItWasWhenTheSourceFails) {
  const auto fail = [] { throw Error(Errc::unavailable, "away"); };
  source.put("1", "one");
  source.before_read = fail;
  EXPECT_THROW(texts(), Error);
  source.before_read = [] {};
  EXPECT_EQ(texts(), Texts{"one"});
  source.put("2", "two");
  source.remove("1");
  source.between_reads = fail;
  EXPECT_THROW(texts(), Error);
  source.between_reads = [] {};
  EXPECT_EQ(texts(), Texts{"two"});
  source.after_changes = fail;
  EXPECT_THROW(texts(), Error) << "an answer that may be old";
}

TEST_F(ScopePartitionsTest, RefusesAScopeThatIsTooLargeUntilItIsNot) {
  for (int i = 0; i < 100; ++i) source.put(std::to_string(i), std::to_string(i));
  EXPECT_EQ(texts().size(), 100u);
  source.put("more", "more");
  for (int round = 0; round < 2; ++round) {
    try {
      texts();
      FAIL() << "too many";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::unavailable);
      EXPECT_NE(std::string(error.what()).find("MAAS_EXACT_SCAN_LIMIT"), std::string::npos);
    }
  }
  source.remove("more");
  EXPECT_EQ(texts().size(), 100u);
}

TEST_F(ScopePartitionsTest, RefusesWhatEachReaderTakesToBeTooLarge) {
  for (int i = 0; i < 10; ++i) source.put(std::to_string(i), std::to_string(i));
  const auto sizes = [this](std::size_t most) {
    std::size_t size = 0;
    const auto look = [&size](const Partition& partition) { size = partition.size(); };
    partitions.read("t", kUser, most, look);
    partitions.read_roughly("t", kUser, most, look);
    return size;
  };
  EXPECT_THROW(sizes(9), TooManyMemories) << "not read yet";
  EXPECT_EQ(sizes(10), 10u);
  EXPECT_THROW(sizes(9), TooManyMemories) << "read already";
  EXPECT_EQ(source.loads, 2);
  EXPECT_THROW(partitions.read_roughly("t", kUser, 9, [](const Partition&) { FAIL(); }),
               TooManyMemories);
}

TEST_F(ScopePartitionsTest, LetsGoOfScopesUnusedForLongest) {
  ScopePartitionsOptions small = options();
  small.max_bytes = 1;
  ScopePartitions forgetful(small, source);
  source.put("1", "one");
  source.put("2", "two", {.user_id = "v"});
  EXPECT_EQ(texts_in(forgetful), Texts{"one"});
  EXPECT_EQ(texts_in(forgetful), Texts{"one"});
  EXPECT_EQ(source.loads, 1) << "the last used stays, however large";
  EXPECT_EQ(texts_in(forgetful, {.user_id = "v"}), Texts{"two"});
  EXPECT_EQ(texts_in(forgetful), Texts{"one"});
  EXPECT_EQ(source.loads, 3);
}

// What a thread has put is found by its next read, whatever the others do meanwhile.
TEST_F(ScopePartitionsTest, IsNeverBehindForAnyOfMany) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const Scope owner{.user_id = "u", .agent_id = "a" + std::to_string(t % 2)};
      for (int i = 0; i < 20; ++i) {
        const std::string name = std::to_string(t) + "." + std::to_string(i);
        source.put(name, name, owner);
        EXPECT_TRUE(texts().contains(name));
        if (i % 2) continue;
        source.remove(name);
        EXPECT_FALSE(texts().contains(name));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(texts().size(), 40u);
}

}  // namespace
}  // namespace maas::ltm
