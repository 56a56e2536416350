#include "text/speakers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace maas::text {
namespace {

using namespace std::string_view_literals;
using Strings = std::vector<std::string>;

// Each mention as "speaker:text", with "'" behind it if it is possessive.
Strings mentions(std::string_view text, const Strings& speakers) {
  Strings found;
  for (const Mention& mention : find_mentions(text, speakers)) {
    found.push_back(speakers[mention.speaker] + ":" +
                    std::string(text.substr(mention.begin, mention.end - mention.begin)) +
                    (mention.possessive ? "'" : ""));
  }
  return found;
}

TEST(SpeakerPrefix, IsTheNameBeforeTheFirstColon) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Caroline: Hi there", "Caroline"},
      {"  Caroline: Hi: there", "Caroline"},
      {"Dr. John Smith: Hi", "Dr. John Smith"},
      {"Maria de la Cruz: Hola", "Maria de la Cruz"},
      {"Anne-Marie O’Brien: Hi", "Anne-Marie O’Brien"},
      {"Speaker 2: Hi", "Speaker 2"},
      {"SPEAKER_00: Hi", "SPEAKER_00"},
      {"Élan:\tHi", "Élan"},
      {"小明: 你好", "小明"},
      {"小明：你好", "小明"},
      {"محمد: مرحبا", "محمد"},
      {"Иван Петров: Привет", "Иван Петров"},
  };
  for (const auto& [text, name] : cases) EXPECT_EQ(speaker_prefix(text), name) << text;
}

TEST(SpeakerPrefix, IsEmptyWhereTextIsNoLineOfADialogue) {
  for (const auto text : {""sv,
                          ":"sv,
                          ": Hi"sv,
                          "Caroline"sv,
                          "Caroline:"sv,
                          "Caroline:  \n"sv,
                          "Caroline:Hi"sv,
                          "caroline: Hi"sv,
                          "The plan: go"sv,
                          "One Two Three Four: Hi"sv,
                          "https://x.org"sv,
                          "C:\\dir"sv,
                          "12: 30"sv,
                          "At noon, Bob said: Hi"sv,
                          "(Bob): Hi"sv,
                          "Bob  Lee: Hi"sv,
                          "Maria de: Hi"sv,
                          "de la Cruz: Hi"sv,
                          "Bob\nLee: Hi"sv,
                          "A\0B: Hi"sv,
                          "Abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq: Hi"sv}) {
    EXPECT_EQ(speaker_prefix(text), "") << text;
  }
}

TEST(SpeakerPrefix, IsAViewIntoTheText) {
  const std::string text = " Bob: Hi";
  EXPECT_EQ(speaker_prefix(text).data(), text.data() + 1);
}

TEST(WithoutSpeaker, IsWhatIsSaid) {
  EXPECT_EQ(without_speaker("Caroline: Hi: there", "Caroline"), "Hi: there");
  EXPECT_EQ(without_speaker("  caroline :Hi", "Caroline"), "Hi");
  EXPECT_EQ(without_speaker("小明：你好", "小明"), "你好");
  EXPECT_EQ(without_speaker("E\u0301lan: Hi", "élan"), "Hi");
  EXPECT_EQ(without_speaker("Caroline: ", "Caroline"), "");
}

TEST(WithoutSpeaker, IsTheTextWhereNobodySpeaks) {
  for (const auto text : {"", "Hi", "Caroline said: Hi", "Bob: Hi", "Caroline", " x "}) {
    EXPECT_EQ(without_speaker(text, "Caroline"), text);
    EXPECT_EQ(without_speaker(text, ""), text);
  }
}

TEST(FindMentions, FindsFullNamesAndPartsOfThem) {
  const Strings speakers = {"Dr. John Smith", "Melanie"};
  EXPECT_EQ(mentions("Did Dr. John Smith meet melanie?", speakers),
            (Strings{"Dr. John Smith:Dr. John Smith", "Melanie:melanie"}));
  EXPECT_EQ(mentions("Did John or Smith or Dr. Smith call?", speakers),
            (Strings{"Dr. John Smith:John", "Dr. John Smith:Smith", "Dr. John Smith:Dr. Smith"}));
}

TEST(FindMentions, DoesNotTakeTitlesParticlesAndPartsOfWordsForNames) {
  const Strings speakers = {"Dr. John Smith", "Maria de la Cruz", "Ann"};
  EXPECT_EQ(mentions("Which Dr. did she see in la casa de Annabel?", speakers), Strings());
}

TEST(FindMentions, NeedsTheFullNameWhereOthersShareItsWords) {
  const Strings speakers = {"John Smith", "John Miller", "Smith Miller"};
  EXPECT_EQ(mentions("John, Smith and Miller", speakers), Strings());
  EXPECT_EQ(mentions("John Smith, john miller", speakers),
            (Strings{"John Smith:John Smith", "John Miller:john miller"}));
}

TEST(FindMentions, PrefersTheLongerName) {
  const Strings speakers = {"John", "John Smith"};
  EXPECT_EQ(mentions("John met John Smith", speakers),
            (Strings{"John:John", "John Smith:John Smith"}));
}

TEST(FindMentions, TellsPossessives) {
  const Strings speakers = {"Caroline", "James", "John Smith"};
  EXPECT_EQ(mentions("Caroline's and Caroline’s, James' dog, James's, John Smith's", speakers),
            (Strings{"Caroline:Caroline's'", "Caroline:Caroline’s'", "James:James''",
                     "James:James's'", "John Smith:John Smith's'"}));
  EXPECT_EQ(mentions("John's Smith", speakers),
            (Strings{"John Smith:John's'", "John Smith:Smith"}));
  EXPECT_EQ(mentions("'ask James'", speakers), (Strings{"James:James"}));
}

TEST(FindMentions, OfTwoNamesSideBySideAreTwo) {
  EXPECT_EQ(mentions("Anna Bob Anna Anna", {"Anna", "Bob"}),
            (Strings{"Anna:Anna", "Bob:Bob", "Anna:Anna", "Anna:Anna"}));
  EXPECT_EQ(mentions("John, Smith", {"John Smith"}),
            (Strings{"John Smith:John", "John Smith:Smith"}));
}

TEST(FindMentions, NeedsACapitalWhereTheNameIsAWordToo) {
  const Strings speakers = {"Will", "Mark", "A", "Will Young"};
  EXPECT_EQ(mentions("when will he mark a page", speakers), Strings());
  EXPECT_EQ(mentions("What did Mark and A say?", speakers), (Strings{"Mark:Mark", "A:A"}));
  EXPECT_EQ(mentions("did Will Young go", speakers), (Strings{"Will Young:Will Young"}));
}

TEST(FindMentions, WorksInAllScripts) {
  EXPECT_EQ(mentions("Что любит иван?", {"Иван"}), (Strings{"Иван:иван"}));
  EXPECT_EQ(mentions("小明的狗叫什么？小红呢", {"小红", "小明"}),
            (Strings{"小明:小明", "小红:小红"}));
  EXPECT_EQ(mentions("สมชายชอบอะไร", {"สมชาย"}), (Strings{"สมชาย:สมชาย"}));
  EXPECT_EQ(mentions("STRASSER und e\u0301lan", {"Straßer", "Élan"}),
            (Strings{"Straßer:STRASSER", "Élan:e\u0301lan"}));
}

TEST(FindMentions, TakesAnyTextAndAnyNames) {
  const Strings speakers = {"", " ", "?!", "😂", "Anna", "anna", std::string(1 << 16, 'a')};
  EXPECT_EQ(mentions("", speakers), Strings());
  EXPECT_EQ(mentions("???\0😂"sv, speakers), Strings());
  EXPECT_EQ(mentions("Anna", speakers), (Strings{"Anna:Anna"}));
  EXPECT_EQ(mentions("Anna", {}), Strings());
  std::string text;
  while (text.size() < 1 << 18) text += "Anna Smith ";
  EXPECT_EQ(find_mentions(text, Strings{"Anna Smith", "Anna Miller"}).size(), (1U << 18) / 11 + 1);
  EXPECT_EQ(find_mentions(std::string(1 << 20, 'b'), speakers).size(), 0U);
}

TEST(FindMentions, KnowsThousandsOfSpeakers) {
  Strings speakers;
  for (int i = 0; i < 3000; ++i) speakers.push_back("Name" + std::to_string(i) + " Family");
  EXPECT_EQ(mentions("Did Name2999 Family or Name7 call a Family?", speakers),
            (Strings{"Name2999 Family:Name2999 Family", "Name7 Family:Name7"}));
}

TEST(InFirstPerson, SaysIAndMy) {
  const Strings speakers = {"Caroline", "Mel"};
  const std::string_view text = "What did Caroline say about Caroline's dog and Mel?";
  EXPECT_EQ(in_first_person(text, find_mentions(text, speakers)),
            "What did I say about my dog and I?");
  EXPECT_EQ(in_first_person("Hi", {}), "Hi");
}

TEST(WithoutMentions, LeavesOneSpace) {
  const Strings speakers = {"Caroline"};
  const auto without = [&](std::string_view text) {
    return without_mentions(text, find_mentions(text, speakers));
  };
  EXPECT_EQ(without("What did Caroline say about Caroline's dog?"), "What did say about dog?");
  EXPECT_EQ(without("Caroline Caroline"), "");
  EXPECT_EQ(without("Caroline, hi"), ", hi");
  EXPECT_EQ(without(" no  change "), " no  change ");
}

}  // namespace
}  // namespace maas::text
