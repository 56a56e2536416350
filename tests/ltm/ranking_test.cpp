#include "ltm/ranking.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace maas::ltm {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

Timestamp day(int y, unsigned month, unsigned d) { return sys_days(year(y) / month / d); }

std::vector<Ranked> rank_all(const std::vector<Candidate>& candidates, const QueryTraits& query) {
  return rank(candidates, query, 100, 0, [](const Candidate&) { return true; });
}

double fused(const Candidate& candidate, const QueryTraits& query) {
  const auto ranked = rank_all({candidate}, query);
  return ranked.empty() ? 0 : ranked[0].fused;
}

TEST(Ranking, AddsTheArmsAsScores) {
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .dense = 1.5}, {}), 2 + 3 * 1.5);
}

TEST(Ranking, LeavesOutWhatNothingMatches) { EXPECT_TRUE(rank_all({{.lexical = 0}}, {}).empty()); }

TEST(Ranking, FavoursTheOnlySpeakerNamed) {
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .speaker = 1}, {.speakers = {1}}), 3);
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .speaker = 2}, {.speakers = {1}}), 2);
}

TEST(Ranking, FavoursTheFirstOfSeveralSpeakersLess) {
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .speaker = 1}, {.speakers = {1, 2}}), 2.5);
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .speaker = 2}, {.speakers = {1, 2}}), 2);
}

TEST(Ranking, HoldsQuestionsForLessTelling) {
  EXPECT_NEAR(fused({.lexical = 2, .question_share = .5f}, {}), 1.6, 1e-6);
}

TEST(Ranking, FavoursWhatTellsATimeIfOneIsAskedFor) {
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .tells_time = true}, {.asks_for_time = true}), 2 * 1.4);
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .tells_time = true}, {}), 2);
  EXPECT_DOUBLE_EQ(fused({.lexical = 2}, {.asks_for_time = true}), 2);
}

TEST(Ranking, FavoursTheDayThatIsNamedAndWhatFollowsIt) {
  const QueryTraits query{.date = text::NamedDate{.year = 2023, .month = 5, .day = 8}};
  const auto at = [&](Timestamp time) { return fused({.lexical = 2, .time = time}, query); };
  EXPECT_DOUBLE_EQ(at(day(2023, 5, 8)), 2 * 3 + 4);
  EXPECT_DOUBLE_EQ(at(day(2023, 5, 8) + std::chrono::hours(23)), 2 * 3 + 4);
  EXPECT_NEAR(at(day(2023, 5, 16)), 2 * (1 + 2 * .4 * std::exp(-1)), 1e-9);
  EXPECT_DOUBLE_EQ(at(day(2023, 5, 7)), 2);
}

TEST(Ranking, FavoursAMonthOfEveryYearIfNoneIsNamed) {
  const QueryTraits query{.date = text::NamedDate{.month = 12}};
  const auto at = [&](Timestamp time) { return fused({.lexical = 2, .time = time}, query); };
  EXPECT_DOUBLE_EQ(at(day(2021, 12, 31)), 2 * 2 + 2);
  EXPECT_DOUBLE_EQ(at(day(2022, 12, 1)), 2 * 2 + 2);
  EXPECT_NEAR(at(day(2023, 1, 8)), 2 * (1 + .4 * std::exp(-1)), 1e-9)
      << "December of the year before";
}

TEST(Ranking, TakesADayThatAYearLacksForNone) {
  const QueryTraits query{.date = text::NamedDate{.month = 2, .day = 29}};
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .time = day(2024, 2, 29)}, query), 2 * 3 + 4);
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .time = day(2023, 3, 1)}, query), 2);
}

TEST(Ranking, BlendsInRecencyIfAskedTo) {
  const QueryTraits query{.recency = {.half_life_days = 10, .weight = .5}, .now = day(2026, 1, 11)};
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .time = day(2026, 1, 11)}, query), 2);
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .time = day(2026, 1, 1)}, query), 2 * .75);
  EXPECT_DOUBLE_EQ(fused({.lexical = 2, .time = day(2027, 1, 1)}, query), 2) << "from the future";
}

TEST(Ranking, GivesAScoreBetweenZeroAndOne) {
  const auto ranked = rank_all({{.lexical = 50}, {.lexical = 2}}, {.ceiling = 10});
  ASSERT_EQ(ranked.size(), 2u);
  EXPECT_EQ(ranked[0].score, 1);
  EXPECT_DOUBLE_EQ(ranked[1].score, .2);
}

TEST(Ranking, CutsAtTheThreshold) {
  const std::vector<Candidate> candidates{{.lexical = 5}, {.lexical = 2}};
  const auto ranked =
      rank(candidates, {.ceiling = 10}, 100, .3, [](const Candidate&) { return true; });
  ASSERT_EQ(ranked.size(), 1u);
  EXPECT_EQ(ranked[0].candidate, 0u);
}

TEST(Ranking, FillsTheLimitPastWhatIsNotAccepted) {
  std::vector<Candidate> candidates;
  for (std::uint32_t i = 0; i < 100; ++i) {
    candidates.push_back({.index = i, .lexical = static_cast<float>(i + 1)});
  }
  const auto ranked = rank(candidates, {}, 3, 0,
                           [](const Candidate& candidate) { return candidate.index % 10 == 0; });
  ASSERT_EQ(ranked.size(), 3u);
  EXPECT_EQ(ranked[0].candidate, 90u);
  EXPECT_EQ(ranked[1].candidate, 80u);
  EXPECT_EQ(ranked[2].candidate, 70u);
}

TEST(Ranking, PutsTheNewerOfEqualsFirstThenTheLaterToArrive) {
  const auto ranked = rank_all({{.lexical = 1, .time = day(2020, 1, 1), .sequence = 9},
                                {.lexical = 1, .time = day(2021, 1, 1), .sequence = 1},
                                {.lexical = 1, .time = day(2021, 1, 1), .sequence = 2}},
                               {});
  ASSERT_EQ(ranked.size(), 3u);
  EXPECT_EQ(ranked[0].candidate, 2u);
  EXPECT_EQ(ranked[1].candidate, 1u);
  EXPECT_EQ(ranked[2].candidate, 0u);
}

TEST(CosineScale, CountsDeviationsAboveTheMean) {
  CosineScale scale;
  for (int i = 0; i < 100'000; ++i) scale.add(i % 2 == 0 ? .1 : .3);
  scale.finish();
  EXPECT_NEAR(scale.dense(.4), 2, .01);
  EXPECT_EQ(scale.dense(.1), 0);
}

TEST(CosineScale, TellsAGoodMatchFromABadOneInAScopeOfOne) {
  CosineScale scale;
  scale.add(.6);
  scale.finish();
  EXPECT_GT(scale.dense(.6), 1);
  CosineScale unrelated;
  unrelated.add(.05);
  unrelated.finish();
  EXPECT_EQ(unrelated.dense(.05), 0);
}

}  // namespace
}  // namespace maas::ltm
