#include "text/dates.hpp"

#include "text/ascii_words.hpp"
#include "text/time_words.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace maas::text {
namespace {

constexpr int kMonths = 12;

// The value of a word of up to four digits.
std::optional<int> number(std::string_view word) {
  constexpr std::size_t kMostDigits = 4;
  if (word.empty() || word.size() > kMostDigits || !std::ranges::all_of(word, is_ascii_digit)) {
    return std::nullopt;
  }
  int value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

bool is_day(int value) { return value >= 1 && value <= 31; }

struct DayOfMonth {
  int value = 0;
  bool ordinal = false;  // "8th"
};

std::optional<DayOfMonth> day_of_month(std::string_view word) {
  constexpr std::size_t kMostDigits = 2;
  const std::size_t digits = std::min(word.find_first_not_of("0123456789"), word.size());
  const auto value = number(word.substr(0, digits));
  if (!value || digits > kMostDigits || !is_day(*value)) return std::nullopt;
  const std::string_view suffix = word.substr(digits);
  const bool ordinal = suffix == "st" || suffix == "nd" || suffix == "rd" || suffix == "th";
  if (!suffix.empty() && !ordinal) return std::nullopt;
  return DayOfMonth{.value = *value, .ordinal = ordinal};
}

bool exists(const NamedDate& date) {
  constexpr int kSomeLeapYear = 2000;
  return std::chrono::year_month_day(std::chrono::year(date.year.value_or(kSomeLeapYear)),
                                     std::chrono::month(static_cast<unsigned>(date.month)),
                                     std::chrono::day(static_cast<unsigned>(date.day.value_or(1))))
      .ok();
}

bool is_year_number(int value) { return value >= 1900 && value <= 2099; }

DateAt checked(const NamedDate& date, std::size_t end) {
  return {.date = exists(date) ? std::optional(date) : std::nullopt, .end = end};
}

std::optional<DateAt> checked(int year, int month, int day, std::size_t end) {
  if (!is_year_number(year) || month < 1 || month > kMonths || !is_day(day)) return std::nullopt;
  return checked({.year = year, .month = month, .day = day}, end);
}

// "5/13/2023" is as clear as "13/5/2023"; "5/8/2023" is one day in America and another in Europe.
std::optional<DateAt> day_and_month(int a, int b, int year, std::size_t end) {
  if (a > kMonths || a == b) return checked(year, b, a, end);
  auto found = checked(year, a, b, end);
  if (found && b <= kMonths) found->date.reset();
  return found;
}

// "2023-05-08", "2023/05/08", "5/13/2023".
std::optional<DateAt> date_in_numbers(const WordSequence& words, std::size_t i) {
  const std::string_view gap = words.gap(i);
  if ((gap != "-" && gap != "/") || words.gap(i + 1) != gap || i + 2 >= words.size()) {
    return std::nullopt;
  }
  const auto a = number(words.at(i));
  const auto b = number(words.at(i + 1));
  // "2023-05-08T10:00"
  const std::string_view last = words.at(i + 2);
  const auto c = number(last.substr(0, last.find('t')));
  if (!a || !b || !c) return std::nullopt;
  if (words.at(i).size() == 4) return checked(*a, *b, *c, i + 3);
  return gap == "/" ? day_and_month(*a, *b, *c, i + 3) : std::nullopt;
}

// "08.05.2023", which is one word.
std::optional<DateAt> date_with_dots(const WordSequence& words, std::size_t i) {
  const std::string_view word = words.at(i);
  const std::size_t first = word.find('.');
  const std::size_t second = word.find('.', std::min(first, word.size() - 1) + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  const auto day = number(word.substr(0, first));
  const auto month = number(word.substr(first + 1, second - first - 1));
  const auto year = number(word.substr(second + 1));
  if (!day || !month || !year) return std::nullopt;
  return checked(*year, *month, *day, i + 1);
}

bool is_month(TimeWord kind) {
  return kind == TimeWord::month || kind == TimeWord::month_or_name ||
         kind == TimeWord::short_month;
}

// What a month may follow that could be a name or another word.
bool introduces_month(std::string_view word) {
  const TimeWord kind = time_word(word);
  const bool sender_or_owner = word == "from" || word == "for" || word == "about" || word == "over";
  return (kind == TimeWord::preposition && !sender_or_owner) || kind == TimeWord::pointer;
}

// The same for a month in lower case: verbs and nouns follow other prepositions as well.
bool only_before_month(std::string_view word) {
  return word == "in" || word == "since" || word == "until" || word == "till";
}

// Whether a month in lower case could be another word even with a number beside it.
bool is_doubtful(const Word& word, TimeWord kind) {
  if (word.capitalized || kind == TimeWord::month) return false;
  return kind == TimeWord::short_month || word.folded == "may" || word.folded == "march";
}

// Two parts of one date: "8 May", "May, 2023", "Sept. 3".
bool belongs_together(std::string_view gap) {
  return gap.size() <= 2 && gap.find_first_not_of(" .,-\n/") == std::string_view::npos &&
         !gap.empty();
}

// Takes in the year behind the word before `end`.
void add_year(const WordSequence& words, NamedDate& date, std::size_t& end) {
  const std::size_t i = end + (words.at(end) == "of" ? 1 : 0);
  if (i >= words.size() || !belongs_together(words.gap(i - 1)) || !is_year(words, i)) return;
  date.year = number(words.at(i));
  end = i + 1;
}

// "8 May 2023", "8th of May".
std::optional<DateAt> date_from_day(const WordSequence& words, std::size_t i) {
  const auto day = day_of_month(words.at(i));
  if (!day) return std::nullopt;
  const std::size_t month = i + (words.at(i + 1) == "of" ? 2 : 1);
  if (month >= words.size() || !belongs_together(words.gap(month - 1))) return std::nullopt;
  const TimeWord kind = time_word(words.at(month));
  if (!is_month(kind)) return std::nullopt;
  NamedDate date{.year = {}, .month = month_number(words.at(month)), .day = day->value};
  std::size_t end = month + 1;
  add_year(words, date, end);
  if (is_doubtful(words[month], kind) && !day->ordinal && !date.year) return std::nullopt;
  return checked(date, end);
}

// "May 8th, 2023", "May 2023", "in May".
std::optional<DateAt> date_from_month(const WordSequence& words, std::size_t i) {
  const TimeWord kind = time_word(words.at(i));
  if (!is_month(kind)) return std::nullopt;
  const std::string_view before = i > 0 ? words.at(i - 1) : std::string_view();
  const bool doubtful = is_doubtful(words[i], kind);
  NamedDate date{.year = {}, .month = month_number(words.at(i)), .day = {}};
  std::size_t end = i + 1;
  if (belongs_together(words.gap(i))) {
    const auto day = day_of_month(words.at(end));
    if (day) {
      date.day = day->value;
      ++end;
    }
    add_year(words, date, end);
    if (day) {
      const bool clear = !doubtful || day->ordinal || date.year || before == "on";
      return clear ? std::optional(checked(date, end)) : std::nullopt;
    }
    if (date.year) return checked(date, end);
  }
  const bool clear =
      kind == TimeWord::month || (doubtful ? only_before_month(before) : introduces_month(before));
  return clear ? std::optional(checked(date, end)) : std::nullopt;
}

}  // namespace

std::string_view WordSequence::at(std::size_t i) const {
  if (i >= words_.size()) return {};
  const std::string_view folded = words_[i].folded;
  if (folded == "o'clock") return folded;
  return folded.substr(0, folded.find('\''));
}

std::string_view WordSequence::gap(std::size_t i) const {
  if (i >= words_.size()) return {};
  const char* const begin = words_[i].written.data() + words_[i].written.size();
  const char* const end =
      i + 1 < words_.size() ? words_[i + 1].written.data() : text_.data() + text_.size();
  return {begin, end};
}

bool is_year(const WordSequence& words, std::size_t i) {
  const auto value = number(words.at(i));
  return value && is_year_number(*value);
}

std::optional<DateAt> date_at(const WordSequence& words, std::size_t i) {
  const std::string_view word = words.at(i);
  if (word.empty() || !is_ascii(word[0])) return std::nullopt;
  if (!is_ascii_digit(word[0])) return date_from_month(words, i);
  if (auto found = date_in_numbers(words, i)) return found;
  if (auto found = date_with_dots(words, i)) return found;
  return date_from_day(words, i);
}

}  // namespace maas::text
