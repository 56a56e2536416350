// A partition without vectors that is told cosines ranks as one that has them.
#include "ltm/partition.hpp"
#include "ltm/tail_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

namespace maas::ltm {
namespace {

constexpr std::size_t kDims = 24;
constexpr int kMemories = 600;
const Timestamp kTime{std::chrono::hours(24 * 365 * 50)};

llm::Vector random_vector(std::mt19937& random) {
  std::normal_distribution<float> normal;
  llm::Vector vector(kDims);
  float squares = 0;
  for (float& each : vector) {
    each = normal(random) + .4f;
    squares += each * each;
  }
  for (float& each : vector) each /= std::sqrt(squares);
  return vector;
}

struct Scopes {
  Scopes() {
    std::mt19937 random(7);
    for (int i = 0; i < kMemories; ++i) {
      auto memory = std::make_shared<Memory>();
      memory->id = std::to_string(i);
      memory->scope.user_id = "u";
      memory->text = "word" + std::to_string(i % 40) + " thing" + std::to_string(i);
      memory->category = i % 3 ? Category::semantic : Category::fact;
      memory->created_at = kTime + std::chrono::hours(2 * i);  // apart from each other
      memory->sequence = i + 1;
      const llm::Vector vector = random_vector(random);
      whole.put(memory, vector);
      words.put(memory, {});
    }
    query.text = "thing7 word3";
    query.vector = random_vector(random);
    query.limit = 10;
  }

  // What a server tells: the best `limit` of what the query's categories let through.
  VectorHits hits(std::size_t limit) const {
    VectorHits told;
    for (const Neighbour& each : whole.nearest(query.vector, kMemories, kTime)) {
      if (!is_asked_for(*each.memory, query, kTime) || told.hits.size() == limit) continue;
      told.hits.push_back({each.memory->id, static_cast<float>(each.cosine)});
    }
    told.are_all = told.hits.size() < limit;
    return told;
  }

  static std::vector<std::string> ids(const std::vector<SearchHit>& found) {
    std::vector<std::string> ids;
    for (const SearchHit& hit : found) ids.push_back(hit.memory->id);
    return ids;
  }

  Partition whole{{.dims = kDims, .language = "english"}};
  Partition words{{.language = "english"}};
  SearchQuery query;
};

TEST(ToldCosines, RankAsOwnVectorsDoWhenAllAreTold) {
  const Scopes scopes;
  const auto own = scopes.whole.search(scopes.query, kTime);
  const auto told = scopes.words.search(scopes.query, scopes.hits(kMemories + 1), kTime);
  ASSERT_EQ(Scopes::ids(told), Scopes::ids(own));
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(told[i].score, own[i].score, .001);
}

TEST(ToldCosines, RankAlmostSoWhenTheBetterHalfIsTold) {
  const Scopes scopes;
  const auto own = Scopes::ids(scopes.whole.search(scopes.query, kTime));
  const auto told =
      Scopes::ids(scopes.words.search(scopes.query, scopes.hits(kMemories / 2), kTime));
  EXPECT_EQ(told.front(), own.front());
  int common = 0;
  for (const std::string& id : told) common += std::ranges::count(own, id) > 0;
  EXPECT_GE(common, 9);
}

TEST(ToldCosines, FindNothingThatTheQueryDoesNotAskFor) {
  Scopes scopes;
  scopes.query.categories = {Category::fact};
  for (const SearchHit& hit : scopes.words.search(scopes.query, scopes.hits(50), kTime)) {
    EXPECT_EQ(hit.memory->category, Category::fact);
  }
}

TEST(ToldCosines, OfMemoriesThatAreNotHereAreLeftOut) {
  Scopes scopes;
  VectorHits hits = scopes.hits(20);
  hits.hits.insert(hits.hits.begin(), {"gone", .99f});
  for (const SearchHit& hit : scopes.words.search(scopes.query, hits, kTime)) {
    EXPECT_NE(hit.memory->id, "gone");
  }
}

TEST(ToldCosines, FindByWordsAloneWhenNothingIsTold) {
  const Scopes scopes;
  const auto found = scopes.words.search(scopes.query, VectorHits{.are_all = true}, kTime);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().memory->id, "7");
}

TEST(Partition, NamesTheSequencesOfWhatAQueryAsksFor) {
  Scopes scopes;
  scopes.query.categories = {Category::fact};
  const auto sequences = scopes.words.sequences(scopes.query, kTime, kMemories);
  ASSERT_TRUE(sequences);
  EXPECT_EQ(sequences->size(), 200u);
  EXPECT_EQ(std::ranges::count(*sequences, 1), 1);
  EXPECT_EQ(scopes.words.sequences(scopes.query, kTime, 199), std::nullopt);
}

TEST(TailFit, TellsMeanAndVarianceOfTheRest) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(.2f, .1f);
  std::vector<float> values(20'000);
  for (float& each : values) each = normal(random);
  std::ranges::sort(values, std::ranges::greater());
  constexpr std::size_t kBest = 2'000;
  double mean = 0, squares = 0;
  for (std::size_t i = kBest; i < values.size(); ++i) {
    mean += values[i];
    squares += values[i] * values[i];
  }
  const auto rest = static_cast<double>(values.size() - kBest);
  mean /= rest;
  const TailFit fit = fit_tail(std::span(values).first(kBest), values.size());
  EXPECT_NEAR(fit.rest_mean, mean, .01);
  EXPECT_NEAR(fit.rest_variance, squares / rest - mean * mean, .001);
}

TEST(TailFit, TakesEqualValuesForAllThereAre) {
  const std::vector<float> best(10, .3f);
  const TailFit fit = fit_tail(best, 100);
  EXPECT_NEAR(fit.rest_mean, .3, 1e-6);
  EXPECT_NEAR(fit.rest_variance, 0, 1e-9);
}

}  // namespace
}  // namespace maas::ltm
