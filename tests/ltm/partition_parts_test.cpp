#include "ltm/byte_vector.hpp"
#include "ltm/nearest_index.hpp"
#include "ltm/speaker_table.hpp"
#include "ltm/term_index.hpp"
#include "ltm/timeline.hpp"
#include "ltm/vector_sample.hpp"
#include "ltm/vector_table.hpp"
#include "support/random_vector.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

namespace maas::ltm {
namespace {

using test::random_vector;

std::map<Slot, std::uint32_t> postings(const TermIndex& index, text::Term term) {
  std::map<Slot, std::uint32_t> found;
  Slot last = 0;
  for (const Posting posting : index.find(term)) {
    EXPECT_TRUE(found.empty() || posting.slot() > last) << "in order of slots";
    last = posting.slot();
    found[posting.slot()] = posting.count();
  }
  return found;
}

TEST(TermIndex, HoldsWhatWasAddedAndNotRemoved) {
  std::mt19937 random(5);
  TermIndex index;
  std::map<text::Term, std::map<Slot, std::uint32_t>> expected;
  for (int step = 0; step < 5000; ++step) {
    const text::Term term = random() % 20;
    const Slot slot = random() % 200;
    if (expected[term].contains(slot)) {
      index.remove(slot, std::vector<text::TermCount>{{term, expected[term][slot]}});
      expected[term].erase(slot);
    } else {
      const auto count = static_cast<std::uint32_t>(random() % 9 + 1);
      index.add(slot, std::vector<text::TermCount>{{term, count}});
      expected[term][slot] = count;
    }
  }
  for (const auto& [term, slots] : expected) EXPECT_EQ(postings(index, term), slots);
}

TEST(TermIndex, CountsAtMostTo255) {
  TermIndex index;
  index.add(7, std::vector<text::TermCount>{{1, 100'000}});
  EXPECT_EQ(postings(index, 1), (std::map<Slot, std::uint32_t>{{7, 255}}));
}

TEST(TermIndex, KnowsWhoHoldsATerm) {
  TermIndex index;
  for (const Slot slot : {3u, 9u, 5u}) index.add(slot, std::vector<text::TermCount>{{1, 1}});
  EXPECT_TRUE(index.holds(1, 5));
  EXPECT_FALSE(index.holds(1, 4));
  EXPECT_FALSE(index.holds(1, 10));
  EXPECT_FALSE(index.holds(2, 5));
}

TEST(Dot, IsExactForEveryLength) {
  for (const std::size_t dims : {1u, 7u, 31u, 32u, 33u, 64u, 100u, 384u, 1536u}) {
    std::vector<float> a(dims), b(dims);
    double expected = 0;
    for (std::size_t i = 0; i < dims; ++i) {
      a[i] = static_cast<float>(i % 7) - 3;
      b[i] = static_cast<float>(i % 5) - 2;
      expected += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    EXPECT_FLOAT_EQ(dot(a.data(), b.data(), dims), static_cast<float>(expected)) << dims;
  }
}

TEST(VectorTable, GivesTheDotProductsOfAllSlots) {
  VectorTable table(3);
  for (Slot slot = 0; slot < 150; ++slot) {
    table.grow(slot);
    const float value = static_cast<float>(slot);
    if (slot % 2 == 0) table.set(slot, std::vector<float>{value, 0, 1});
  }
  const float query[] = {2, 5, 1};
  std::vector<float> dots(150);
  table.dot_all(query, dots.size(), dots.data());
  for (std::size_t slot = 0; slot < dots.size(); ++slot) {
    EXPECT_EQ(dots[slot], slot % 2 == 0 ? 2 * static_cast<float>(slot) + 1 : 0);
  }
}

class TimelineTest : public testing::Test {
 protected:
  void insert(Slot slot, int minute, std::string_view session = "") {
    timeline.insert(slot, session, Timestamp{std::chrono::minutes(minute)}, slot);
  }
  Timeline timeline;
};

TEST_F(TimelineTest, LinksNeighboursInTheOrderOfTime) {
  insert(0, 20);
  insert(1, 0);
  insert(2, 10);
  EXPECT_EQ(timeline.before(2), 1u);
  EXPECT_EQ(timeline.after(2), 0u);
  EXPECT_EQ(timeline.before(1), kNoSlot);
  EXPECT_EQ(timeline.after(0), kNoSlot);
}

TEST_F(TimelineTest, KeepsTheOrderOfArrivalForEqualTimes) {
  insert(0, 5);
  insert(1, 5);
  EXPECT_EQ(timeline.after(0), 1u);
}

TEST_F(TimelineTest, EndsASessionAtAPauseOfMoreThanAnHour) {
  insert(0, 0);
  insert(1, 60);
  insert(2, 121);
  EXPECT_EQ(timeline.after(0), 1u);
  EXPECT_EQ(timeline.after(1), kNoSlot);
  EXPECT_EQ(timeline.before(2), kNoSlot);
}

TEST_F(TimelineTest, ClosesAPauseThatIsFilledAndOpensItAgain) {
  insert(0, 0);
  insert(1, 100);
  insert(2, 50);
  EXPECT_EQ(timeline.after(0), 2u);
  EXPECT_EQ(timeline.after(2), 1u);
  timeline.remove(2, "");
  EXPECT_EQ(timeline.after(0), kNoSlot);
  EXPECT_EQ(timeline.before(1), kNoSlot);
}

TEST_F(TimelineTest, KeepsSessionsApart) {
  insert(0, 0, "a");
  insert(1, 1, "b");
  insert(2, 2, "a");
  EXPECT_EQ(timeline.after(0), 2u);
  EXPECT_EQ(timeline.before(1), kNoSlot);
}

TEST(SpeakerTable, LetsANameSpeakFromItsThirdLineOn) {
  SpeakerTable table;
  const auto nora = table.add("Nora", false, 1);
  table.add("Nora", false, 2);
  EXPECT_FALSE(table.speaks(nora));
  table.add("Nora", false, 3);
  EXPECT_TRUE(table.speaks(nora));
  EXPECT_EQ(table.speaking(), std::vector<std::string>{"Nora"});
  EXPECT_EQ(table.number(0), nora);
  table.remove(nora, false, 1);
  EXPECT_FALSE(table.speaks(nora));
  EXPECT_TRUE(table.speaking().empty());
}

TEST(SpeakerTable, LetsANameSpeakThatWasTold) {
  SpeakerTable table;
  const auto paul = table.add("Paul", true, 1);
  EXPECT_TRUE(table.speaks(paul));
  const auto nora = table.add("Nora", true, 2);
  table.remove(paul, true, 1);
  EXPECT_EQ(table.speaking(), std::vector<std::string>{"Nora"});
  EXPECT_EQ(table.number(0), nora);
}

TEST(ByteVector, HasTheDotProductsOfItsVectorToSomeThousandths) {
  constexpr std::size_t kDims = 384;
  std::mt19937 random(5);
  // One more byte in front: nothing is aligned.
  std::vector<std::byte> places(1 + 2 * byte_vector_size(kDims));
  std::byte* const a = places.data() + 1;
  std::byte* const b = a + byte_vector_size(kDims);
  for (int i = 0; i < 100; ++i) {
    const auto first = random_vector(random, kDims);
    auto second = random_vector(random, kDims);
    for (std::size_t at = 0; at < kDims; ++at) second[at] += first[at] * static_cast<float>(i) / 20;
    write_byte_vector(first, 1, a);
    write_byte_vector(second, .5, b);
    const float exact = dot(first.data(), second.data(), kDims) / 2;
    EXPECT_NEAR(byte_dot(a, b, kDims), exact, .002 * (1 + std::abs(exact)));
  }
  write_byte_vector(std::vector<float>(kDims), 1, b);
  EXPECT_EQ(byte_dot(a, b, kDims), 0);
}

TEST(VectorSample, KeepsWhatWasSetLast) {
  constexpr std::size_t kDims = 16;
  std::mt19937 random(6);
  const auto query = random_vector(random, kDims);
  VectorSample sample(kDims, 3);
  EXPECT_TRUE(sample.takes(0));
  EXPECT_FALSE(sample.takes(1));
  EXPECT_TRUE(sample.takes(12));
  sample.set(12, query, 1);
  sample.set(3, random_vector(random, kDims), 1);
  sample.set(3, query, .5);
  sample.set(6, query, 1);
  sample.set(6, query, 0);
  std::vector<float> dots;
  sample.for_each_dot(query, [&dots](float dot) { dots.push_back(dot); });
  ASSERT_EQ(dots.size(), 2);
  EXPECT_NEAR(dots[0], .5, .01);
  EXPECT_NEAR(dots[1], 1, .01);
}

// The share of the truly nearest that the index finds.
double recall(const VectorTable& table, const NearestIndex& index, const std::set<Slot>& present,
              const std::vector<float>& query, std::size_t count) {
  std::vector<std::pair<float, Slot>> all;
  for (const Slot slot : present) {
    all.emplace_back(-dot(query.data(), table.at(slot), table.dims()), slot);
  }
  std::ranges::sort(all);
  const auto slots = index.nearest(query, count);
  const std::set<Slot> found(slots.begin(), slots.end());
  EXPECT_EQ(found.size(), count);
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) right += found.contains(all[i].second);
  return static_cast<double>(right) / static_cast<double>(count);
}

TEST(HnswIndex, FindsTheNearestAfterChanges) {
  constexpr std::size_t kDims = 32;
  std::mt19937 random(3);
  VectorTable table(kDims);
  const auto index = make_hnsw_index(kDims);
  std::set<Slot> present;
  for (Slot slot = 0; slot < 3000; ++slot) {
    table.grow(slot);
    table.set(slot, random_vector(random, kDims));
    index->put(slot, table.row(slot));
    present.insert(slot);
  }
  for (int change = 0; change < 1500; ++change) {
    const Slot slot = random() % 3000;
    if (present.contains(slot)) {
      index->remove(slot);
      present.erase(slot);
      table.set(slot, {});
    } else {
      table.set(slot, random_vector(random, kDims));
      index->put(slot, table.row(slot));
      present.insert(slot);
    }
  }
  index->remove(100'000);  // never was there
  double total = 0;
  for (int i = 0; i < 20; ++i) {
    total += recall(table, *index, present, random_vector(random, kDims), 10);
  }
  EXPECT_GT(total / 20, .95);
}

}  // namespace
}  // namespace maas::ltm
