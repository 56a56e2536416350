#include "text/time_expressions.hpp"

#include "text/ascii_words.hpp"
#include "text/dates.hpp"
#include "text/time_words.hpp"
#include "text/words.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace maas::text {
namespace {

bool is_among(std::string_view word, std::span<const std::string_view> list) {
  return std::ranges::find(list, word) != list.end();
}

bool is_number(std::string_view word) {
  return time_word(word) == TimeWord::number ||
         (!word.empty() && std::ranges::all_of(word, is_ascii_digit));
}

// "1990s", "90s".
bool is_decade(std::string_view word) {
  const bool size = word.size() == 3 || word.size() == 5;
  return size && word.ends_with("0s") &&
         std::ranges::all_of(word.substr(0, word.size() - 1), is_ascii_digit) &&
         (word.size() == 3 || word.starts_with("19") || word.starts_with("20"));
}

// "5pm", "11am".
bool is_clock_time(std::string_view word) {
  const std::size_t digits = std::min(word.find_first_not_of("0123456789"), word.size());
  return digits >= 1 && digits <= 2 && (word.substr(digits) == "pm" || word.substr(digits) == "am");
}

// "two weeks", "couple of days"; the span ends in front of the word `end`.
bool is_span(const WordSequence& words, std::size_t end) {
  if (end < 2 || time_word(words.at(end - 1)) != TimeWord::unit) return false;
  const std::string_view count = words.at(end - 2);
  return is_number(count) || (count == "of" && end > 2 && is_number(words.at(end - 3)));
}

// Whether a year stands in a place where it isn't a number of something.
bool is_placed_year(const WordSequence& words, std::size_t i) {
  if (!is_year(words, i)) return false;
  if (words.at(i + 1) == "年" && words.gap(i).empty()) return true;
  if (i == 0) return false;
  const TimeWord before = time_word(words.at(i - 1));
  const bool amount = is_among(
      words.at(i - 1), std::array<std::string_view, 5>{"about", "for", "over", "every", "each"});
  // "the 2019 trip" says when as well, but so may "the 2000 people".
  return (before == TimeWord::preposition && !amount) || before == TimeWord::unit ||
         before == TimeWord::pointer;
}

// Whether a time is told by word `i` and those around it.
bool tells_time_at(const WordSequence& words, std::size_t i) {
  const std::string_view word = words.at(i);
  switch (time_word(word)) {
    case TimeWord::weekday:
    case TimeWord::day:
    case TimeWord::month:
      return true;
    case TimeWord::ago:
      return i > 0;
    case TimeWord::short_weekday:
      return words[i].capitalized;
    case TimeWord::clock:
      return i > 0 && !words.at(i - 1).empty() && is_number(words.at(i - 1)) &&
             words.at(i - 1) != "a";
    case TimeWord::unit: {
      const TimeWord before = i > 0 ? time_word(words.at(i - 1)) : TimeWord::none;
      if (before == TimeWord::pointer) return true;
      if (!is_span(words, i + 1)) return false;
      std::size_t first = words.at(i - 1) == "of" ? i - 2 : i - 1;
      if (first > 0 && words.at(first - 1) == "a") --first;  // "a few"
      const TimeWord introduction = first > 0 ? time_word(words.at(first - 1)) : TimeWord::none;
      return introduction == TimeWord::preposition || introduction == TimeWord::pointer ||
             is_among(words.at(i + 1),
                      std::array<std::string_view, 3>{"later", "earlier", "before"});
    }
    default:
      break;
  }
  return is_decade(word) || is_clock_time(word) || is_placed_year(words, i) ||
         date_at(words, i).has_value();
}

bool is_auxiliary(std::string_view word) {
  constexpr auto kAuxiliaries = std::to_array<std::string_view>(
      {"am",     "are",   "aren", "can",  "could", "did",  "didn",  "do",
       "does",   "had",   "has",  "have", "is",    "isn",  "might", "must",
       "should", "shall", "was",  "wasn", "were",  "will", "would"});
  return is_among(word, kAuxiliaries);
}

// What an embedded question follows ("do you know when …"), or one that begins late ("since when").
bool introduces_when(std::string_view word) {
  constexpr auto kIntroductions = std::to_array<std::string_view>(
      {"about",     "and",     "ask",       "asked", "but",    "by",       "check",
       "determine", "exactly", "find",      "from",  "idea",   "know",     "knows",
       "me",        "mention", "mentioned", "or",    "out",    "recall",   "remember",
       "said",      "say",     "says",      "since", "so",     "sure",     "tell",
       "till",      "told",    "until",     "us",    "wonder", "wondering"});
  return is_among(word, kIntroductions);
}

bool begins_sentence(const WordSequence& words, std::size_t i) {
  return i == 0 || words.gap(i - 1).find_first_of(".?!:;\n") != std::string_view::npos;
}

bool is_question_word(std::string_view word) {
  return is_among(word, std::array<std::string_view, 7>{"how", "what", "where", "which", "who",
                                                        "whose", "why"});
}

// "When she left, what did he do?" asks for something else.
bool is_asked_behind(const WordSequence& words, std::size_t i) {
  for (std::size_t k = i + 1; k < words.size() && !begins_sentence(words, k); ++k) {
    if (is_question_word(words.at(k))) return true;
  }
  return false;
}

// So does "What did she say when he left?". A question has few words: looking at more would take
// quadratic time.
bool is_asked_before(const WordSequence& words, std::size_t i) {
  constexpr std::size_t kMostWords = 30;
  for (std::size_t k = i; k > 0 && i - k < kMostWords && !begins_sentence(words, k); --k) {
    if (is_question_word(words.at(k - 1))) return true;
  }
  return false;
}

// What "which …" and "what …" ask for a time by.
bool is_asked_unit(std::string_view word) {
  constexpr auto kUnits = std::to_array<std::string_view>(
      {"afternoon", "century", "date",    "dates",   "day",    "days",   "decade",   "evening",
       "hour",      "month",   "months",  "night",   "period", "season", "semester", "time",
       "times",     "week",    "weekday", "weekend", "weeks",  "year",   "years"});
  return is_among(word, kUnits);
}

// "what exact date", "what was the date", "which of the days" by its next few words.
bool asks_for_unit(const WordSequence& words, std::size_t i) {
  constexpr auto kBetween = std::to_array<std::string_view>(
      {"exact", "is", "of", "other", "particular", "s", "specific", "the", "was", "were", "are"});
  constexpr std::size_t kMostBetween = 3;
  for (std::size_t k = i + 1; k <= i + 1 + kMostBetween; ++k) {
    if (is_asked_unit(words.at(k))) return true;
    if (!is_among(words.at(k), kBetween)) return false;
  }
  return false;
}

bool asks_how_long(const WordSequence& words, std::size_t i) {
  constexpr auto kManners =
      std::to_array<std::string_view>({"early", "late", "long", "recently", "soon"});
  constexpr auto kSpans = std::to_array<std::string_view>(
      {"centuries", "days", "decades", "hours", "minutes", "months", "nights", "weeks", "years"});
  const std::string_view next = words.at(i + 1);
  return is_among(next, kManners) ||
         ((next == "many" || next == "much") && is_among(words.at(i + 2), kSpans));
}

bool asks_for_time_at(const WordSequence& words, std::size_t i) {
  const std::string_view word = words.at(i);
  if (word == "when") {
    const bool contracted = words[i].folded != "when";  // "when's"
    if (contracted || is_auxiliary(words.at(i + 1))) return true;
    if (begins_sentence(words, i)) return !is_asked_behind(words, i);
    return introduces_when(words.at(i - 1)) && !is_asked_before(words, i);
  }
  if (word == "what" || word == "which") return asks_for_unit(words, i);
  return word == "how" && asks_how_long(words, i);
}

}  // namespace

bool asks_for_time(std::string_view question) {
  const std::vector<Word> all = words(question);
  const WordSequence sequence(question, all);
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (asks_for_time_at(sequence, i)) return true;
  }
  return false;
}

bool tells_time(std::string_view text) {
  const std::vector<Word> all = words(text);
  const WordSequence sequence(text, all);
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (tells_time_at(sequence, i)) return true;
  }
  return false;
}

std::optional<NamedDate> date_in(std::string_view text) {
  const std::vector<Word> all = words(text);
  const WordSequence sequence(text, all);
  for (std::size_t i = 0; i < sequence.size();) {
    const auto found = date_at(sequence, i);
    if (found && found->date) return found->date;
    i = found ? found->end : i + 1;
  }
  return std::nullopt;
}

}  // namespace maas::text
