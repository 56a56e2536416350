#include "stm/summary_coverage.hpp"

#include "text/stop_words.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace maas::stm {
namespace {

constexpr double kDetailWeight = 3;      // against an ordinary term
constexpr double kRepeated = 0.3;        // what a covered term is still worth
constexpr double kWordless = 0.01;       // of a sentence without terms, so that some order remains
constexpr double kFromSummary = 1.5;     // it was among the most important before
constexpr double kSessionOpening = 1.2;  // what the conversation is for
constexpr double kOpening = 1.1;         // of a message
constexpr double kUser = 1.25;           // told by nobody else
constexpr double kFirstPerson = 1.3;     // what people say of themselves
constexpr double kQuestion = 0.7;        // the answer is what matters
constexpr double kFragment = 0.6;        // up to three words say little without what stands before
constexpr double kNewest = 0.15;         // what the newest paragraph has more than the oldest

// Words that fill a chat and say nothing about its subject.
constexpr auto kCourtesies = std::to_array<std::string_view>({
    "absolutely", "ah",      "alright", "amazing",    "awesome", "bye",     "cool",      "course",
    "definitely", "exactly", "fine",    "glad",       "good",    "goodbye", "great",     "haha",
    "hello",      "hey",     "hi",      "hmm",        "lol",     "nice",    "nope",      "oh",
    "ok",         "okay",    "perfect", "please",     "right",   "sorry",   "sounds",    "sure",
    "thank",      "thanks",  "thx",     "understood", "welcome", "well",    "wonderful", "wow",
    "yeah",       "yep",     "yes",
});
static_assert(std::ranges::is_sorted(kCourtesies));

constexpr auto kFirstPersons = std::to_array<std::string_view>(
    {"i", "i'd", "i'll", "i'm", "i've", "me", "mine", "my", "myself", "our", "ours", "us", "we",
     "we'd", "we'll", "we're", "we've"});
static_assert(std::ranges::is_sorted(kFirstPersons));

// Words that tell a detail as numbers and names do: times, and cues that what is said is to be kept
// (Edmundson's cue method).
constexpr auto kDetails = std::to_array<std::string_view>({
    "address",   "agreed",    "allergic",   "allergies", "allergy",  "appointment", "april",
    "august",    "birthday",  "booked",     "deadline",  "december", "decided",     "decision",
    "diagnosed", "favorite",  "favourite",  "february",  "friday",   "important",   "january",
    "july",      "june",      "midnight",   "monday",    "noon",     "november",    "october",
    "password",  "prefer",    "preference", "prefers",   "promised", "remember",    "remind",
    "saturday",  "september", "sunday",     "thursday",  "today",    "tomorrow",    "tonight",
    "tuesday",   "wednesday", "yesterday",
});
static_assert(std::ranges::is_sorted(kDetails));

bool is_among(std::span<const std::string_view> sorted, std::string_view word) {
  return std::ranges::binary_search(sorted, word);
}

// "example.com", "user_id", "camelCase"
bool is_identifier(const text::Word& word) {
  if (word.written.find_first_of("._") != std::string_view::npos) return true;
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto small = std::ranges::find_if(word.written, is_small);
  return std::find_if(small, word.written.end(), is_capital) != word.written.end();
}

// "2." and "2)" number an item of a list and are no detail of it.
bool begins_with_list_number(std::string_view sentence) {
  const std::size_t end = sentence.find_first_not_of("0123456789");
  if (end == 0 || end == std::string_view::npos) return false;
  return sentence.substr(end).starts_with(". ") || sentence.substr(end).starts_with(") ");
}

bool is_question(std::string_view sentence) {
  return sentence.ends_with("?") || sentence.ends_with("？") || sentence.ends_with("؟");
}

// In headings and shouts capitals don't tell names.
bool is_title(std::span<const text::Word> words) {
  const auto capitals = std::ranges::count_if(words, &text::Word::capitalized);
  return words.size() >= 4 && static_cast<std::size_t>(capitals) * 2 > words.size();
}

double word_factor(std::span<const text::Word> words) {
  const bool of_oneself = std::ranges::any_of(
      words, [](const text::Word& word) { return is_among(kFirstPersons, word.folded); });
  return (of_oneself ? kFirstPerson : 1.0) * (words.size() <= 3 ? kFragment : 1.0);
}

double place_factor(const Candidate& candidate, std::size_t last_paragraph) {
  double factor = candidate.from_summary ? kFromSummary : 1.0;
  if (candidate.opens_paragraph && !candidate.from_summary) {
    factor *= candidate.paragraph == 0 ? kSessionOpening : kOpening;
  }
  if (candidate.speaker == to_string(Role::user)) factor *= kUser;
  if (is_question(candidate.sentence) && candidate.paragraph < last_paragraph) factor *= kQuestion;
  if (last_paragraph > 0) {
    factor *= 1 + kNewest * static_cast<double>(candidate.paragraph) /
                      static_cast<double>(last_paragraph);
  }
  return factor;
}

}  // namespace

Coverage::Coverage(std::span<const Candidate> candidates) {
  const std::size_t last_paragraph = candidates.empty() ? 0 : candidates.back().paragraph;
  for (const Candidate& candidate : candidates) {
    std::vector<text::Word> words = text::words(candidate.sentence);
    if (begins_with_list_number(candidate.sentence)) words.erase(words.begin());
    add_sentence(words);
    factor_.push_back(place_factor(candidate, last_paragraph) * word_factor(words));
  }
  weigh_terms();
}

void Coverage::add_sentence(std::span<const text::Word> words) {
  const bool title = is_title(words);
  const auto begin = static_cast<std::ptrdiff_t>(sentence_terms_.size());
  for (const text::Word& word : words) add_word(word, &word == words.data(), title);

  const auto first = sentence_terms_.begin() + begin;
  std::sort(first, sentence_terms_.end());
  sentence_terms_.erase(std::unique(first, sentence_terms_.end()), sentence_terms_.end());
  sentence_end_.push_back(sentence_terms_.size());
  for (const TermId id : terms_of(sentence_end_.size() - 1)) ++terms_[id].sentences;
}

void Coverage::add_word(const text::Word& word, bool is_first, bool in_title) {
  if (text::is_stop_word(word.folded) || is_among(kCourtesies, word.folded)) return;
  const auto [entry, is_new] =
      ids_.try_emplace(text::stem(word.folded), static_cast<TermId>(terms_.size()));
  if (is_new) terms_.emplace_back();
  Term& term = terms_[entry->second];
  if (!word.capitalized) ++term.small;
  if (word.capitalized && !is_first && !in_title) ++term.capitalized;
  if (word.has_digit || is_identifier(word) || is_among(kDetails, word.folded)) {
    term.is_detail = true;
  }
  sentence_terms_.push_back(entry->second);
}

void Coverage::weigh_terms() {
  const auto sentences = static_cast<double>(sentence_end_.size());
  for (Term& term : terms_) {
    const double holding = term.sentences;
    term.weight = (1 + std::log(holding) / 3) * std::log(1 + sentences / holding);
    if (term.is_detail || term.capitalized > term.small) term.weight *= kDetailWeight;
  }
}

std::span<const Coverage::TermId> Coverage::terms_of(std::size_t candidate) const {
  const std::size_t begin = candidate == 0 ? 0 : sentence_end_[candidate - 1];
  return std::span(sentence_terms_).subspan(begin, sentence_end_[candidate] - begin);
}

double Coverage::gain(std::size_t candidate) const {
  double sum = kWordless;
  for (const TermId id : terms_of(candidate)) {
    sum += terms_[id].weight * (terms_[id].is_covered ? kRepeated : 1.0);
  }
  return sum * factor_[candidate];
}

void Coverage::choose(std::size_t candidate) {
  for (const TermId id : terms_of(candidate)) terms_[id].is_covered = true;
}

}  // namespace maas::stm
