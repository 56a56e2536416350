#include "text/language.hpp"

#include "text/words.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace maas::text {
namespace {

using namespace std::string_view_literals;

TEST(DetectLanguage, KnowsTheMostFrequentWords) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"I went to the market with my brother", "english"},
      {"Ich habe gestern mit meinem Bruder über die Arbeit gesprochen", "german"},
      {"Wo ist mein Hund?", "german"},
      {"J'ai acheté une voiture avec mon frère", "french"},
      {"Où est la bibliothèque ?", "french"},
      {"Mi hermano vive en una casa muy grande", "spanish"},
      {"¿Dónde está mi perro?", "spanish"},
      {"Ho comprato una macchina per il mio fratello", "italian"},
      {"Eu não tenho um cachorro, mas gosto dos gatos", "portuguese"},
      {"Ik heb een hond en een kat, maar geen vogel", "dutch"},
      {"Jag har en hund och en katt, men inte någon fågel", "swedish"},
      {"Jeg kan ikke huske hvad han har sagt af det", "danish"},
      {"Jeg vet ikke hva han har sagt til meg av det", "norwegian"},
      {"Minä olen kotona, mutta hän ei ole täällä", "finnish"},
      {"Ben bugün çok yorgunum ama yine de bir şey yapmak için", "turkish"},
  };
  for (const auto& [text, language] : cases) EXPECT_EQ(detect_language(text), language) << text;
}

TEST(DetectLanguage, KnowsScripts) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Москва", "russian"},
      {"Я купил iPhone вчера в магазине", "russian"},
      {"أحب القهوة", "arabic"},
      {"Καλημέρα", "greek"},
      {"Բարև", "armenian"},
      {"मुझे चाय पसंद है", "hindi"},
      {"எனக்கு தேநீர் பிடிக்கும்", "tamil"},
  };
  for (const auto& [text, language] : cases) EXPECT_EQ(detect_language(text), language) << text;
}

TEST(DetectLanguage, SaysEnglishOfLanguagesThatHaveNoStemmer) {
  for (const auto text : {"今天天气很好", "東京大学で勉強", "ภาษาไทย", "한국어", "שלום",
                          "Привіт, як твої справи?", "من کتاب می‌خوانم", "👍👍"}) {
    EXPECT_EQ(detect_language(text), kEnglish) << text;
  }
}

TEST(DetectLanguage, SaysEnglishInDoubt) {
  for (const auto text : {"",
                          "die in war",
                          "I die in Rome",
                          "Also man will",
                          "Reading Ich Und Du",
                          "See Los Angeles, La Jolla, El Paso",
                          "Des Moines",
                          "Que sera sera, she said to me",
                          "no me gusta",
                          "vitamin c and d",
                          "pizza",
                          "12345",
                          "!!! ???",
                          "Maria de la Cruz",
                          "on the sea, as he has come",
                          "op art",
                          "Where is the Rue de la Paix?",
                          "Mon: gym, Tue: sauna",
                          "min max sum",
                          "The word is \"nicht\""}) {
    EXPECT_EQ(detect_language(text), kEnglish) << text;
  }
}

TEST(DetectLanguage, TakesAnyText) {
  EXPECT_EQ(detect_language("a\0b\0"sv), kEnglish);
  EXPECT_EQ(detect_language(std::string(1 << 20, 'a')), kEnglish);
  std::string emoji;
  while (emoji.size() < 1 << 20) emoji += "😂";
  EXPECT_EQ(detect_language(emoji), kEnglish);
  std::string cyrillic;
  while (cyrillic.size() < 1 << 20) cyrillic += "ж";
  EXPECT_EQ(detect_language("a" + cyrillic), "russian");
}

TEST(LanguageNamed, KnowsNamesAndCodes) {
  EXPECT_EQ(language_named("german"), "german");
  EXPECT_EQ(language_named("German"), "german");
  EXPECT_EQ(language_named("de"), "german");
  EXPECT_EQ(language_named("DEU"), "german");
  EXPECT_EQ(language_named("ger"), "german");
  EXPECT_EQ(language_named("pt-BR"), "portuguese");
  EXPECT_EQ(language_named("en_US"), "english");
  EXPECT_EQ(language_named("nb"), "norwegian");
}

TEST(LanguageNamed, RefusesOthers) {
  for (const auto name : {"", "klingon", "porter", "d", "-", "xx", "german ", "zh"}) {
    EXPECT_EQ(language_named(name), std::nullopt) << name;
  }
}

TEST(LanguageNamed, NamesStemmers) {
  // A word that each of these stems shows that Snowball knows the name.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"de", "häusern"}, {"fr", "chevaux"}, {"es", "gatos"},   {"it", "gatti"},    {"pt", "gatos"},
      {"nl", "katten"},  {"sv", "katter"},  {"da", "katte"},   {"no", "katter"},   {"fi", "kissat"},
      {"ru", "кошками"}, {"tr", "kediler"}, {"hu", "házak"},   {"ro", "pisicile"}, {"ca", "gossos"},
      {"ar", "كتابات"},  {"el", "γατεσ"},   {"id", "berlari"}, {"lt", "katės"},    {"eu", "etxeak"},
  };
  for (const auto& [code, word] : cases) {
    const auto name = language_named(code);
    ASSERT_TRUE(name) << code;
    EXPECT_NE(stem(word, *name), word) << code;
  }
}

}  // namespace
}  // namespace maas::text
