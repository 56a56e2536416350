#include "stm/context_strategy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace maas::stm {
namespace {

std::vector<Message> messages_of(const std::vector<std::int64_t>& tokens) {
  std::vector<Message> messages;
  for (const std::int64_t count : tokens) {
    messages.push_back({.id = std::to_string(messages.size()),
                        .timestamp = {},
                        .role = Role::user,
                        .content = {},
                        .metadata = {},
                        .token_count = count});
  }
  return messages;
}

struct Case {
  std::vector<std::int64_t> tokens;
  std::int64_t max_tokens;
  std::size_t summarized;
};

class TokenThreshold : public testing::TestWithParam<Case> {};

TEST_P(TokenThreshold, SummarizesTheOldestSixtyPercentAndWhatElseHasToGo) {
  const auto messages = messages_of(GetParam().tokens);
  const ContextPlan plan = plan_token_threshold(messages, GetParam().max_tokens);
  EXPECT_EQ(plan.to_summarize.size(), GetParam().summarized);
  EXPECT_EQ(plan.to_summarize.size() + plan.window.size(), messages.size());
  EXPECT_LE(total_tokens(plan.window) + plan.summary_tokens, GetParam().max_tokens);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, TokenThreshold,
    testing::Values(Case{{}, 10, 0}, Case{{10}, 10, 0}, Case{{11}, 10, 1}, Case{{5, 5}, 10, 0},
                    Case{{5, 6}, 10, 2},             // 60 % rounded up
                    Case{{3, 3, 3, 3, 3}, 14, 3},    // exactly 60 %
                    Case{{1, 1, 1, 9, 3}, 14, 4},    // the fourth does not fit beside a summary
                    Case{{1, 1, 1, 1, 100}, 50, 5},  // nor does the newest
                    Case{{100, 0, 0, 0, 0}, 50, 3},  // messages without tokens stay
                    Case{{1, 1, 1, 1, 1, 1, 1}, 1, 7}));  // nothing but a summary

TEST(TokenThreshold, HoldsItsLimitForEveryBudget) {
  std::vector<std::int64_t> tokens;
  for (int i = 0; i < 200; ++i) tokens.push_back(i * 37 % 101);
  const auto messages = messages_of(tokens);
  for (std::int64_t budget = 1; budget <= total_tokens(messages) + 1; budget += 7) {
    const ContextPlan plan = plan_token_threshold(messages, budget);
    EXPECT_LE(total_tokens(plan.window) + plan.summary_tokens, budget);
    EXPECT_EQ(plan.to_summarize.empty(), total_tokens(messages) <= budget);
  }
}

TEST(NewestWithin, KeepsTheNewestThatFitTogether) {
  const auto messages = messages_of({4, 1, 2, 3});
  EXPECT_EQ(newest_within(messages, 0).size(), 0u);
  EXPECT_EQ(newest_within(messages, 3).size(), 1u);
  EXPECT_EQ(newest_within(messages, 5).size(), 2u);
  EXPECT_EQ(newest_within(messages, 9).size(), 3u);
  EXPECT_EQ(newest_within(messages, 10).size(), 4u);
  EXPECT_EQ(newest_within(messages, 5).front().id, "2");
}

TEST(NewestWithin, StopsAtTheFirstThatDoesNotFit) {
  const auto messages = messages_of({1, 100, 1});
  EXPECT_EQ(newest_within(messages, 50).size(), 1u);
}

}  // namespace
}  // namespace maas::stm
