#include "text/time_expressions.hpp"

#include <gtest/gtest.h>

#include <string>

namespace maas::text {
namespace {

using namespace std::string_view_literals;

TEST(AsksForTime, WhereTheAnswerIsATime) {
  for (const auto question : {"When did Caroline go?",
                              "when's the party",
                              "When?",
                              "WHEN IS IT",
                              "when exactly was it?",
                              "when Caroline adopted the dog",
                              "And when did he leave?",
                              "Since when does she paint?",
                              "Do you know when he left?",
                              "Bob: when will you come?",
                              "Tell me when it happened",
                              "What time is it?",
                              "At what time?",
                              "What was the exact date of the move?",
                              "What's the date?",
                              "On which day did they meet?",
                              "which year was that",
                              "In what month did she move?",
                              "What year",
                              "What day of the week was it?",
                              "How long did it take?",
                              "How long ago was it?",
                              "How many years did she stay?",
                              "how soon can you come",
                              "When she said yes, when did they marry?"}) {
    EXPECT_TRUE(asks_for_time(question)) << question;
  }
}

TEST(AsksForTime, IsFalseOfOtherQuestions) {
  for (const auto question :
       {"", "?", "What did she say when he left?", "When he left, what did she say?",
        "Where was it?", "What dog is it?", "How many dogs?", "Whenever",
        "What did she do that day?", "Which of her friends came?", "How was your day?"}) {
    EXPECT_FALSE(asks_for_time(question)) << question;
  }
}

TEST(TellsTime, KnowsTimeExpressions) {
  for (const auto text : {"see you Monday",
                          "on sundays",
                          "It was in January.",
                          "in may",
                          "in April we left",
                          "since March",
                          "on 2023-05-08",
                          "on 5/8/2023",
                          "13.05.2023",
                          "May 8th",
                          "8 May",
                          "the 8th of may",
                          "in 2016",
                          "since 1999",
                          "the summer of 2016",
                          "yesterday's news",
                          "Today!",
                          "tomorrow",
                          "TONIGHT",
                          "last week",
                          "next month",
                          "this year",
                          "last summer",
                          "Last Friday",
                          "two years ago",
                          "a few days ago",
                          "a while ago",
                          "a couple of weeks ago",
                          "10 days ago",
                          "for three weeks",
                          "for a few months",
                          "in two days",
                          "two weeks later",
                          "the last couple of days",
                          "during the 1990s",
                          "in the 90s",
                          "at 5pm",
                          "at 5 p.m.",
                          "at 7 o'clock",
                          "on Fri",
                          "en 2016",
                          "2023年",
                          "Sept. 3",
                          "this weekend"}) {
    EXPECT_TRUE(tells_time(text)) << text;
  }
}

TEST(TellsTime, IsFalseOfWhatOnlyLooksLikeIt) {
  for (const auto text : {"",
                          "!?",
                          "I may march on",
                          "May I come in?",
                          "April is my friend",
                          "March!",
                          "the last one",
                          "next to me",
                          "2000 people",
                          "call 2016",
                          "ago",
                          "I am here",
                          "wed in white",
                          "dec",
                          "day by day",
                          "week after week",
                          "a 5 star hotel",
                          "1.2.3",
                          "v2.0",
                          "99 luftballons",
                          "he is second",
                          "this book",
                          "3/4 of it",
                          "the sat nav",
                          "sun and moon",
                          "once upon"}) {
    EXPECT_FALSE(tells_time(text)) << text;
  }
}

NamedDate date(std::optional<int> year, int month, std::optional<int> day = std::nullopt) {
  return {.year = year, .month = month, .day = day};
}

TEST(DateIn, ReadsDates) {
  const std::pair<std::string_view, NamedDate> cases[] = {
      {"What happened on 8 May 2023?", date(2023, 5, 8)},
      {"8 May, 2023", date(2023, 5, 8)},
      {"the 8th of May 2023", date(2023, 5, 8)},
      {"May 8th, 2023", date(2023, 5, 8)},
      {"may 8th", date({}, 5, 8)},
      {"on may 8", date({}, 5, 8)},
      {"8 may 2023", date(2023, 5, 8)},
      {"May 8", date({}, 5, 8)},
      {"May 8's party", date({}, 5, 8)},
      {"DECEMBER 31st", date({}, 12, 31)},
      {"Sept. 3, 2021", date(2021, 9, 3)},
      {"3 Jan", date({}, 1, 3)},
      {"2023-05-08", date(2023, 5, 8)},
      {"2023-05-08T10:00:00Z", date(2023, 5, 8)},
      {"2023/05/08", date(2023, 5, 8)},
      {"5/13/2023", date(2023, 5, 13)},
      {"13/5/2023", date(2023, 5, 13)},
      {"5/5/2023", date(2023, 5, 5)},
      {"08.05.2023", date(2023, 5, 8)},
      {"in May", date({}, 5)},
      {"in may?", date({}, 5)},
      {"May 2023", date(2023, 5)},
      {"in May of 2023", date(2023, 5)},
      {"september", date({}, 9)},
      {"last April", date({}, 4)},
      {"February 29", date({}, 2, 29)},
      {"29 February 2024", date(2024, 2, 29)},
      {"in July, then on 5 August", date({}, 7)},
      {"May 45 people come in June?", date({}, 6)},
  };
  for (const auto& [text, expected] : cases) {
    const auto found = date_in(text);
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(*found, expected) << text;
  }
}

TEST(DateIn, IsNoneOfWhatIsNoDate) {
  for (const auto text : {""sv,
                          "\0"sv,
                          "may"sv,
                          "they march on"sv,
                          "they march 5 miles"sv,
                          "May I?"sv,
                          "What did April say?"sv,
                          "2023"sv,
                          "in 2023"sv,
                          "February 30"sv,
                          "31 April"sv,
                          "29 February 2023"sv,
                          "2023-13-01"sv,
                          "2023-02-30"sv,
                          "5/8/2023"sv,
                          "32/1/2023"sv,
                          "0/5/2023"sv,
                          "1/2"sv,
                          "1-2-3"sv,
                          "10.1.2.3"sv,
                          "1.2.3"sv,
                          "yesterday"sv,
                          "Jan said"sv,
                          "mar"sv,
                          "dec"sv,
                          "99999999999999999999"sv,
                          "8th"sv,
                          "1066-10-14"sv}) {
    EXPECT_EQ(date_in(text), std::nullopt) << text;
  }
}

TEST(TimeExpressions, TakeAnyText) {
  for (const std::string_view unit :
       {"a", "1", "😂", "May ", "when ", "1/", "of ", ".", "\xD9\x8B"}) {
    std::string text;
    while (text.size() < 1 << 20) text += unit;
    EXPECT_NO_THROW({
      asks_for_time(text);
      tells_time(text);
      date_in(text);
    }) << unit;
  }
}

}  // namespace
}  // namespace maas::text
