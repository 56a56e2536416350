#include "text/analysis.hpp"

#include "text/stop_words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace maas::text {
namespace {

using namespace std::string_view_literals;
using Strings = std::vector<std::string>;

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

TEST(ContentWords, AreFoldedAndInOrderWithoutStopWords) {
  EXPECT_EQ(content_words("The quick brown FOX jumps over a lazy dog."),
            (Strings{"quick", "brown", "fox", "jumps", "lazy", "dog"}));
  EXPECT_EQ(content_words("Straße ＡＢＣ"), (Strings{"strasse", "abc"}));
}

TEST(ContentWords, LoseWhatFollowsAnApostrophe) {
  EXPECT_EQ(content_words("Caroline's dog didn’t bark, she won't mind James' cat"),
            (Strings{"caroline", "dog", "bark", "mind", "james", "cat"}));
}

TEST(ContentWords, KeepWhatFollowsASingleLetter) {
  EXPECT_EQ(content_words("O'Brien met D’Angelo"), (Strings{"brien", "met", "angelo"}));
  EXPECT_EQ(content_words("I'm Q'a"), (Strings{"q"}));
}

TEST(ContentWords, KeepWhatFollowsAnArticleOfFrenchAndItalian) {
  EXPECT_EQ(content_words("L'homme qu’il a vu aujourd'hui", "french"), (Strings{"homme", "vu"}));
  EXPECT_EQ(content_words("jusqu'à l'an", "fr"), (Strings{"an"}));
  EXPECT_EQ(content_words("la storia dell'arte, un'altra città", "italian"),
            (Strings{"storia", "arte", "città"}));
}

TEST(ContentWords, KeepApostrophesThatAreLettersOrDivideNumbers) {
  EXPECT_EQ(content_words("п'ять 1'000"), (Strings{"п'ять", "1'000"}));
}

TEST(ContentWords, DependOnTheLanguage) {
  EXPECT_EQ(content_words("Ich habe den Hund gesehen", "german"), (Strings{"hund", "gesehen"}));
  EXPECT_EQ(content_words("the Hund", "german"), (Strings{"the", "hund"}));
  EXPECT_EQ(content_words("Я купил новую машину", "russian"),
            (Strings{"купил", "новую", "машину"}));
  EXPECT_EQ(content_words("the cat", "klingon"), (Strings{"the", "cat"}));
}

TEST(ContentWords, AreStopWordsWhereThereIsNothingElse) {
  EXPECT_EQ(content_words("Will you?"), (Strings{"will", "you"}));
  EXPECT_EQ(content_words("I didn't."), (Strings{"i", "didn"}));
  EXPECT_EQ(content_words("I am 😂"), (Strings{"😂"}));
}

TEST(ContentWords, IncludeThePartsOfCompounds) {
  EXPECT_EQ(content_words("open main.py, user_id"),
            (Strings{"open", "main.py", "main", "py", "user_id", "user", "id"}));
  EXPECT_EQ(content_words("well-known"), (Strings{"well", "known"}));
  EXPECT_EQ(content_words("sold our house.Then left"),
            (Strings{"sold", "house.then", "house", "left"}));
  EXPECT_EQ(content_words("jo@example.org"), (Strings{"jo@example.org", "jo", "example", "org"}));
  EXPECT_EQ(content_words("1,250.50 192.168.1.1 ____ @"), (Strings{"1,250.50", "192.168.1.1"}));
}

TEST(ContentWords, OfChineseAndJapaneseAreWordsAndBigrams) {
  EXPECT_EQ(content_words("東京大学で勉強"),
            (Strings{"東京", "大学", "で", "勉強", "京大", "学で", "で勉"}));
  EXPECT_EQ(content_words("喝茶"), content_words("喝茶。"));
  EXPECT_EQ(content_words("我 like 茶!"), (Strings{"我", "茶"}));
  EXPECT_EQ(content_words("コーヒー"), (Strings{"コーヒー", "コー", "ーヒ", "ヒー"}));
}

TEST(ContentWords, OfOneRunDoNotJoinAcrossOtherWords) {
  for (const std::string& word : content_words("北京,上海 2023年")) {
    EXPECT_NE(word, "京上");
    EXPECT_NE(word, "海年");
  }
}

TEST(ContentWords, OfChineseAreSharedByAQuestionAndItsAnswer) {
  const Strings text = content_words("我昨天在星巴克喝了拿铁咖啡");
  int shared = 0;
  for (const std::string& word : content_words("星巴克的咖啡")) {
    shared += std::ranges::find(text, word) != text.end() ? 1 : 0;
  }
  EXPECT_GE(shared, 3);
}

TEST(ContentWords, OfThaiAreFoundByDictionary) {
  EXPECT_GT(content_words("ภาษาไทยไม่มีช่องว่าง").size(), 2U);
}

TEST(ContentWords, OfArabicHaveNoVowelSigns) {
  EXPECT_EQ(content_words("كِتَابٌ", "arabic"), (Strings{"كتاب"}));
  EXPECT_EQ(content_words("كتـــاب", "arabic"), (Strings{"كتاب"}));
  EXPECT_EQ(content_words("في البيت", "arabic"), (Strings{"البيت"}));
}

TEST(ContentWords, IncludeEmojiAsReadersSeeThem) {
  EXPECT_EQ(content_words("Great👍🏽👨‍👩‍👧 🇩🇪🇫🇷!"),
            (Strings{"great", "👍🏽", "👨‍👩‍👧", "🇩🇪", "🇫🇷"}));
  EXPECT_EQ(content_words("🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
            (Strings{"🏴󠁧󠁢󠁥󠁮󠁧󠁿"}));
  EXPECT_EQ(content_words("\u2764\uFE0F"), content_words("\u2764"));
  EXPECT_EQ(content_words("I♥NY"), (Strings{"♥", "ny"}));
}

TEST(ContentWords, DoNotIncludePunctuationAndSigns) {
  for (const auto text : {"!!! … — “”"sv, "→ © ® ™ + = €"sv, "\0\0"sv, ""sv}) {
    EXPECT_EQ(content_words(text), Strings()) << text;
  }
}

TEST(ContentWords, TakeAnyText) {
  EXPECT_EQ(content_words("one\0two"sv, "german"), (Strings{"one", "two"}));
  EXPECT_EQ(content_words(std::string(1 << 20, 'a')), (Strings{std::string(kLongestWord, 'a')}));
  EXPECT_EQ(content_words(std::string(1 << 20, '_')), Strings());
  EXPECT_EQ(content_words(repeated("😂", 1 << 20)).size(), std::size_t{1} << 18);
  for (const std::string& emoji : content_words(repeated("😂\u200d", 1 << 20))) {
    EXPECT_LE(emoji.size(), kLongestWord);
  }
  EXPECT_FALSE(content_words(repeated("中文", 1 << 18)).empty());
  EXPECT_FALSE(content_words(repeated("a'", 1 << 20)).empty());
  EXPECT_FALSE(content_words(repeated("a.", 1 << 20)).empty());
}

TEST(BaseForm, LeadsIrregularFormsToTheirBase) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"went", "go"},    {"gone", "go"},        {"bought", "buy"},         {"took", "take"},
      {"taken", "take"}, {"children", "child"}, {"feet", "foot"},          {"mice", "mouse"},
      {"wives", "wife"}, {"people", "person"},  {"taught", "teach"},       {"women", "woman"},
      {"ate", "eat"},    {"crises", "crisis"},  {"knives", "knife"},       {"better", "good"},
      {"swum", "swim"},  {"written", "write"},  {"criteria", "criterion"},
  };
  for (const auto& [form, base] : cases) EXPECT_EQ(base_form(form), base_form(base)) << form;
}

TEST(BaseForm, IsAStem) {
  EXPECT_EQ(base_form("running"), "run");
  EXPECT_EQ(base_form("häuser", "german"), "haus");
  EXPECT_EQ(base_form("went", "german"), "went");
  EXPECT_EQ(base_form(""), "");
  EXPECT_EQ(base_form("東京"), "東京");
}

TEST(BaseForm, OfAnEmojiHasNoSkinTone) {
  EXPECT_EQ(base_form("👍🏽"), "👍");
  EXPECT_EQ(base_form("👩🏾‍🚀"), "👩‍🚀");
  EXPECT_EQ(base_form("🏽"), "🏽");
}

TEST(Terms, OfWordsAndGramsAreNeverTheSame) {
  for (const auto text : {"", "a", "#ab#", "word"}) {
    EXPECT_NE(word_term(text), gram_term(text)) << text;
    EXPECT_NE(word_term(text) >> 63, gram_term(text) >> 63) << text;
  }
  EXPECT_NE(word_term("cat"), word_term("dog"));
}

TEST(WordTerms, CountBaseForms) {
  const Strings content = {"dog", "went", "dogs", "gone"};
  std::vector<TermCount> expected = {{word_term("dog"), 2}, {word_term("go"), 2}};
  std::ranges::sort(expected, {}, &TermCount::term);
  EXPECT_EQ(word_terms(content), expected);
  EXPECT_TRUE(word_terms({}).empty());
}

TEST(WordTerms, OfAnEmojiAreThoseOfItInAnyColour) {
  EXPECT_EQ(word_terms(content_words("👍🏽")), word_terms(content_words("👍")));
}

TEST(GramTerms, AreFourCharactersEach) {
  const Strings content = {"abcd", "é", "東京"};
  std::vector<TermCount> expected;
  for (const auto gram : {"#abc", "abcd", "bcd#", "#é#", "#東京#"}) {
    expected.push_back({gram_term(gram), 1});
  }
  std::ranges::sort(expected, {}, &TermCount::term);
  EXPECT_EQ(gram_terms(content), expected);
}

TEST(GramTerms, AreCounted) {
  const std::vector<TermCount> terms = gram_terms(Strings{"aaaaaa"});
  EXPECT_EQ(terms.size(), 3U);  // "#aaa", "aaaa", "aaa#"
  EXPECT_TRUE(std::ranges::any_of(terms, [](const TermCount& term) {
    return term == TermCount{gram_term("aaaa"), 3};
  }));
  EXPECT_TRUE(gram_terms({}).empty());
}

TEST(Terms, AreSortedAndDistinctWhateverTheText) {
  std::mt19937 random(1);
  const Strings parts = {"a", "Run", "ning", " ", "’s",     "東",  "か", "👍", "🏽", "\u200d",
                         "ـ", ".",   "_",    "é", "\u0301", "ไทย", "1",  "'",  "\n", "\0"};
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (auto n = random() % 20; n > 0; --n) text += parts[random() % parts.size()];
    const Strings content = content_words(text);
    for (const std::string& word : content) EXPECT_FALSE(word.empty());
    for (const auto& terms : {word_terms(content), gram_terms(content)}) {
      EXPECT_EQ(std::ranges::adjacent_find(terms, std::ranges::greater_equal(), &TermCount::term),
                terms.end());
    }
  }
}

TEST(Terms, AreTheSameOnAllThreads) {
  const auto terms = [] {
    return word_terms(content_words("Children went to 東京 👍🏽 häuser"), "german");
  };
  const std::vector<TermCount> expected = terms();
  std::vector<std::thread> threads;
  std::vector<int> differing(4);
  for (int& count : differing) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) count += terms() != expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differing, std::vector<int>(4));
}

}  // namespace
}  // namespace maas::text
