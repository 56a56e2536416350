#include "ltm/partition.hpp"

#include "support/plain_search.hpp"
#include "support/random_vector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace maas::ltm {
namespace {

using test::PlainMemory;
using test::PlainSearch;
using test::random_vector;

constexpr std::size_t kDims = 8;
const Timestamp kStart{std::chrono::hours(24 * 365 * 50)};

PartitionOptions english(std::size_t dims = kDims) { return {.dims = dims, .language = "english"}; }

PlainMemory memory(std::string id, std::string text, std::int64_t sequence = 1) {
  return {.memory = {.id = std::move(id),
                     .scope = {.user_id = "u"},
                     .text = std::move(text),
                     .created_at = kStart + std::chrono::hours(2 * sequence),
                     .sequence = sequence},
          .vector = {}};
}

void put(Partition& partition, const PlainMemory& each) {
  partition.put(std::make_shared<const Memory>(each.memory), each.vector);
}

std::vector<std::string> found(const Partition& partition, const SearchQuery& query,
                               Timestamp now = kStart) {
  std::vector<std::string> ids;
  for (const SearchHit& hit : partition.search(query, now)) ids.push_back(hit.memory->id);
  return ids;
}

using Ids = std::vector<std::string>;

TEST(Partition, FindsAMemoryByAnInflectedWord) {
  Partition partition(english());
  put(partition, memory("a", "She adopted two puppies", 1));
  put(partition, memory("b", "The train was late", 2));
  EXPECT_EQ(found(partition, {.text = "adopting a puppy"}), Ids{"a"});
}

TEST(Partition, FindsAMisspelledWordByItsFourGrams) {
  Partition partition(english());
  put(partition, memory("a", "Her favourite composer is Shostakovich", 1));
  put(partition, memory("b", "The train was late", 2));
  EXPECT_EQ(found(partition, {.text = "Schostakovich"}), Ids{"a"});
}

TEST(Partition, GivesNothingForAQueryThatNothingMatches) {
  Partition partition(english());
  put(partition, memory("a", "The train was late"));
  EXPECT_TRUE(found(partition, {.text = "zebra"}).empty());
}

TEST(Partition, TakesTheNewerVersionAndKeepsItFromAnOlderOne) {
  Partition partition(english());
  PlainMemory first = memory("a", "I live in Lisbon");
  PlainMemory second = memory("a", "I live in Porto");
  second.memory.version = 2;
  put(partition, first);
  put(partition, second);
  put(partition, first);
  EXPECT_EQ(partition.size(), 1u);
  EXPECT_EQ(found(partition, {.text = "Porto"}), Ids{"a"});
  EXPECT_TRUE(found(partition, {.text = "Lisbon"}).empty());
}

TEST(Partition, ForgetsWhatWasRemoved) {
  Partition partition(english());
  put(partition, memory("a", "I live in Lisbon"));
  partition.remove("a");
  partition.remove("unknown");
  EXPECT_EQ(partition.size(), 0u);
  EXPECT_TRUE(found(partition, {.text = "Lisbon"}).empty());
}

TEST(Partition, HidesWhatHasExpired) {
  Partition partition(english());
  PlainMemory brief = memory("a", "The code is 4711");
  brief.memory.expires_at = kStart + std::chrono::seconds(5);
  put(partition, brief);
  EXPECT_EQ(found(partition, {.text = "code"}, kStart + std::chrono::microseconds(4'999'999)),
            Ids{"a"});
  EXPECT_TRUE(found(partition, {.text = "code"}, kStart + std::chrono::seconds(5)).empty());
}

TEST(Partition, KeepsNothingOfWhatHasExpired) {
  Partition partition(english());
  const PlainMemory question = memory("question", "How much was it?", 1);
  PlainMemory brief = memory("brief", "a violin", 1);
  brief.memory.expires_at = kStart + std::chrono::seconds(5);
  brief.memory.sequence = 2;
  put(partition, question);
  EXPECT_EQ(partition.next_expiry(), std::nullopt);
  put(partition, brief);
  EXPECT_EQ(partition.next_expiry(), brief.memory.expires_at);
  partition.remove_expired(kStart + std::chrono::microseconds(4'999'999));
  EXPECT_EQ(found(partition, {.text = "violin"}).size(), 2u) << "with its neighbour";
  partition.remove_expired(kStart + std::chrono::seconds(5));
  EXPECT_TRUE(found(partition, {.text = "violin"}).empty());
  EXPECT_EQ(partition.size(), 1u);
  EXPECT_EQ(partition.next_expiry(), std::nullopt);
}

TEST(Partition, FiltersBeforeItCutsAtTheLimit) {
  Partition partition(english());
  for (int i = 0; i < 20; ++i) {
    PlainMemory each = memory("m" + std::to_string(i), "tea in the garden", i + 1);
    each.memory.category = i == 3 ? Category::fact : Category::semantic;
    put(partition, each);
  }
  EXPECT_EQ(found(partition, {.text = "tea", .categories = {Category::fact}, .limit = 1}),
            Ids{"m3"});
}

TEST(Partition, PutsTheNewerOfTwoEqualsFirst) {
  Partition partition(english());
  put(partition, memory("old", "I like tea", 1));
  put(partition, memory("new", "I like tea", 2));
  EXPECT_EQ(found(partition, {.text = "tea"}), (Ids{"new", "old"}));
}

TEST(Partition, KnowsASpeakerFromTheThirdLineOn) {
  Partition partition(english());
  put(partition, memory("a", "Nora: hello there friend", 1));
  put(partition, memory("b", "Nora: the boat sank", 2));
  EXPECT_TRUE(partition.speakers().empty());
  put(partition, memory("c", "Nora: what a pity", 3));
  EXPECT_EQ(partition.speakers(), Ids{"Nora"});
  partition.remove("b");
  EXPECT_TRUE(partition.speakers().empty());
  EXPECT_EQ(found(partition, {.text = "Nora"}).size(), 2u) << "the name is a word again";
}

TEST(Partition, UnderstandsATurnFromItsNeighbours) {
  Partition partition(english());
  const auto turn = [](std::string id, std::string text, int minute) {
    PlainMemory each = memory(std::move(id), std::move(text), minute);
    each.memory.created_at = kStart + std::chrono::minutes(minute);
    return each;
  };
  put(partition, turn("question", "Where did you go on holiday?", 1));
  put(partition, turn("answer", "Iceland, with my sister", 2));
  put(partition, turn("later", "The dentist called", 200));
  const Ids ids = found(partition, {.text = "holiday"});
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_NE(std::ranges::find(ids, "answer"), ids.end());
}

TEST(Partition, ExplainsWhyAResultStandsWhereItStands) {
  Partition partition(english());
  PlainMemory tea = memory("a", "I like green tea", 1);
  tea.vector = {1, 0, 0, 0, 0, 0, 0, 0};
  PlainMemory bus = memory("b", "The bus is green", 2);
  bus.vector = {0, 1, 0, 0, 0, 0, 0, 0};
  put(partition, tea);
  put(partition, bus);
  const auto hits =
      partition.search({.text = "green tea", .vector = tea.vector, .explain = true}, kStart);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].memory->id, "a");
  EXPECT_FLOAT_EQ(static_cast<float>(hits[0].explanation.cosine.value()), 1);
  EXPECT_EQ(hits[0].explanation.cosine_rank, 1u);
  EXPECT_EQ(hits[0].explanation.lexical_rank, 1u);
  EXPECT_EQ(hits[0].explanation.matched_terms, (Ids{"green", "tea"}));
  EXPECT_EQ(hits[1].explanation.lexical_rank, 2u);
  EXPECT_EQ(hits[1].explanation.matched_terms, Ids{"green"});
}

// Random memories: few words, so that they meet; names in front or told; sessions; pauses.
class RandomMemories {
 public:
  explicit RandomMemories(unsigned seed) : random_(seed) {}

  PlainMemory next(std::string id, std::int64_t sequence) {
    PlainMemory each;
    each.memory.id = std::move(id);
    each.memory.scope.user_id = "u";
    if (below(3) == 0) each.memory.scope.session_id = "s" + std::to_string(below(2));
    each.memory.sequence = sequence;
    each.memory.created_at = kStart + std::chrono::minutes(below(4000));
    const std::string name = kNames[below(kNames.size())];
    if (below(6) == 0) each.memory.speaker = name;
    each.memory.text = (below(2) == 0 ? name + ": " : "") + sentence();
    if (below(5) != 0) each.vector = vector();
    return each;
  }

  std::string sentence() {
    std::string text;
    for (std::size_t i = 0, words = 1 + below(7); i < words; ++i) {
      text += (i > 0 ? " " : "") + kWords[below(kWords.size())];
    }
    return text + (below(4) == 0 ? "?" : ".");
  }

  std::vector<float> vector() {
    std::vector<float> values(kDims);
    float squares = 0;
    for (float& value : values) {
      value = std::normal_distribution<float>()(random_);
      squares += value * value;
    }
    for (float& value : values) value /= std::sqrt(squares);
    return values;
  }

  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

 private:
  const std::vector<std::string> kNames{"Nora", "Paul", "Dr. Ada King", "Paul Weiss"};
  const std::vector<std::string> kWords{"tea",  "garden", "gardens", "went", "yesterday", "boat",
                                        "blue", "music",  "musical", "the",  "running",   "zoo"};
  std::mt19937 random_;
};

void expect_as_plain(const Partition& partition, const std::map<std::string, PlainMemory>& kept,
                     const SearchQuery& query) {
  std::vector<PlainMemory> memories;
  for (const auto& [id, each] : kept) memories.push_back(each);
  const auto expected = PlainSearch(memories).fused(query);
  const auto hits = partition.search(query, kStart);
  ASSERT_EQ(hits.size(), expected.size()) << query.text;
  double last = std::numeric_limits<double>::infinity();
  for (const SearchHit& hit : hits) {
    const double fused = hit.explanation.fused;
    EXPECT_NEAR(fused, expected.at(hit.memory->id), 1e-3 * std::max(1., fused)) << query.text;
    EXPECT_LE(fused, last);
    last = fused;
    EXPECT_GE(hit.score, 0);
    EXPECT_LE(hit.score, 1);
  }
}

class PartitionAfterRandomChanges : public testing::TestWithParam<unsigned> {};

TEST_P(PartitionAfterRandomChanges, FindsWhatThePlainSearchFinds) {
  RandomMemories random(GetParam());
  Partition partition(english());
  std::map<std::string, PlainMemory> kept;
  std::int64_t sequence = 0;
  for (int step = 0; step < 150; ++step) {
    const std::string id = "m" + std::to_string(random.below(60));
    if (kept.contains(id) && random.below(3) == 0) {
      partition.remove(id);
      kept.erase(id);
    } else {
      PlainMemory each = random.next(id, ++sequence);
      if (kept.contains(id)) {
        each.memory.version = kept[id].memory.version + 1;
        each.memory.sequence = kept[id].memory.sequence;
      }
      put(partition, each);
      kept[id] = each;
    }
    ASSERT_EQ(partition.size(), kept.size());
    if (step % 10 != 9) continue;
    SearchQuery query{.text = random.sentence(), .limit = 1000, .explain = true};
    if (random.below(3) == 0) query.text = "When was Paul at the " + query.text;
    if (random.below(2) == 0) query.vector = random.vector();
    expect_as_plain(partition, kept, query);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PartitionAfterRandomChanges, testing::Range(1u, 13u));

// The index changes with its partition: while it is built, and after.
TEST(Partition, FindsWithAnIndexAboutWhatItFindsWithout) {
  constexpr std::size_t kLargeDims = 32;
  const std::vector<std::string> words{"river", "violin", "copper", "garden", "lantern", "harbour"};
  std::mt19937 random(9);
  const auto any_word = [&] { return words[random() % words.size()]; };
  Partition exact(english(kLargeDims));
  PartitionOptions options = english(kLargeDims);
  options.hnsw_threshold = 100;
  Partition indexed(options);
  std::int64_t version = 0;
  const auto change = [&] {
    const std::string id = std::to_string(random() % 2000);
    exact.remove(id);
    indexed.remove(id);
    if (random() % 3 == 0) return;
    PlainMemory each = memory(id, any_word() + " and " + any_word(), ++version);
    each.memory.version = version;
    each.vector = random_vector(random, kLargeDims);
    put(exact, each);
    put(indexed, each);
  };
  for (int i = 0; i < 2000; ++i) change();
  ASSERT_TRUE(indexed.wants_index());
  ASSERT_TRUE(indexed.build_index(500));
  for (int i = 0; i < 500; ++i) change();
  indexed.finish_index();
  ASSERT_FALSE(indexed.wants_index());
  for (int i = 0; i < 1000; ++i) change();

  std::size_t common = 0, all = 0;
  for (int i = 0; i < 50; ++i) {
    const SearchQuery query{
        .text = any_word(), .vector = random_vector(random, kLargeDims), .limit = 10};
    const Ids some = found(indexed, query);
    const Ids every = found(exact, query);
    all += every.size();
    for (const std::string& id : some) common += std::ranges::count(every, id);
  }
  EXPECT_EQ(all, 500);
  EXPECT_GT(common, 475);
}

}  // namespace
}  // namespace maas::ltm
