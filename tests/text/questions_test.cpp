#include "text/questions.hpp"

#include <gtest/gtest.h>

#include <string>

namespace maas::text {
namespace {

using namespace std::string_view_literals;

TEST(QuestionShare, IsThatOfTheWordsInQuestions) {
  EXPECT_DOUBLE_EQ(question_share("I like tea."), 0);
  EXPECT_DOUBLE_EQ(question_share("Do you like tea?"), 1);
  EXPECT_DOUBLE_EQ(question_share("I like tea. Do you?"), 0.4);
  EXPECT_DOUBLE_EQ(question_share("Did Mr. Smith go?\nYes, he did go"), 0.5);
}

TEST(QuestionShare, SeesAQuestionMarkBehindTheLastWord) {
  for (const auto text :
       {"Really?!", "\"Is it?\"", "Is it? 😂", "(Is it?)", "is it ??", "Is it⁇"}) {
    EXPECT_DOUBLE_EQ(question_share(text), 1) << text;
  }
}

TEST(QuestionShare, DoesNotTakeLinksForQuestions) {
  EXPECT_DOUBLE_EQ(question_share("See https://x.org/a?b=1 for more"), 0);
}

TEST(QuestionShare, KnowsTheQuestionMarksOfAllScripts) {
  for (const auto text : {"你好吗？", "هل تحب القهوة؟", "Ինչպե՞ս ես՞", "元気ですか？"}) {
    EXPECT_DOUBLE_EQ(question_share(text), 1) << text;
  }
  EXPECT_DOUBLE_EQ(question_share("¿Dónde vives? Vivo en Lima."), 0.4);
}

TEST(QuestionShare, IsZeroWithoutWords) {
  for (const auto text : {""sv, "?"sv, "??? !"sv, "\0?"sv, "👍?"sv}) {
    EXPECT_EQ(question_share(text), 0) << text;
  }
}

TEST(QuestionShare, TakesAnyText) {
  EXPECT_EQ(question_share(std::string(1 << 20, '?')), 0);
  EXPECT_EQ(question_share(std::string(1 << 20, 'a') + "?"), 1);
  std::string text;
  while (text.size() < 1 << 20) text += "? ";
  EXPECT_EQ(question_share(text), 0);
  text.clear();
  while (text.size() < 1 << 20) text += "😂?";
  EXPECT_EQ(question_share(text), 0);
}

}  // namespace
}  // namespace maas::text
