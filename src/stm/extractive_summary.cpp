#include "stm/extractive_summary.hpp"

#include "stm/summary_coverage.hpp"
#include "stm/summary_lines.hpp"
#include "text/sentences.hpp"

#include <algorithm>
#include <queue>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::stm {
namespace {

constexpr std::int64_t kHeaderShare = 8;    // the header may take this part of the budget
constexpr std::int64_t kShortestLine = 4;   // tokens; less room than this is not worth filling
constexpr std::int64_t kSpeakerBudget = 8;  // tokens, from which a cut sentence names its speaker
constexpr std::size_t kMisfits = 64;        // candidates too long for the rest before giving up
constexpr double kWorthwhile = 0.75;        // value, against the best misfit, to fill the rest
constexpr double kBetterThanPart = 0.25;    // value, against the best misfit, to stand in its place
constexpr int kRounds = 4;                  // of filling what an exact count has set free

// Ranks candidates by what they add per token and hands out the best first. Lazily: gains only
// fall, so a candidate whose gain is still above all others' old ones is the best. Ties: the older.
class Ranking {
 public:
  explicit Ranking(std::span<const Candidate> candidates)
      : candidates_(candidates), coverage_(candidates) {
    bool anything = false;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      anything = anything || coverage_.says_something(i);
    }
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!anything || coverage_.says_something(i)) entries.push_back({value(i), i});
    }
    queue_ = Queue(Worse{}, std::move(entries));
  }

  bool empty() const { return queue_.empty(); }

  struct Entry {
    double value;
    std::size_t candidate;
  };

  // The best candidate left, which is not handed out again.
  Entry take() {
    while (true) {
      Entry best = queue_.top();
      queue_.pop();
      best.value = value(best.candidate);
      if (queue_.empty() || !Worse{}(best, queue_.top())) return best;
      queue_.push(best);
    }
  }

  void choose(std::size_t candidate) { coverage_.choose(candidate); }

 private:
  struct Worse {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.value != b.value ? a.value < b.value : a.candidate > b.candidate;
    }
  };

  using Queue = std::priority_queue<Entry, std::vector<Entry>, Worse>;

  double value(std::size_t candidate) const {
    return coverage_.gain(candidate) / estimated_tokens(candidates_[candidate]);
  }

  // Counting the tokens of every candidate would take longer than all the rest.
  static double estimated_tokens(const Candidate& candidate) {
    constexpr double kLineTokens = 8;
    const auto ascii = static_cast<double>(std::ranges::count_if(
        candidate.sentence, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
    const double others = static_cast<double>(candidate.sentence.size()) - ascii;
    return kLineTokens + ascii / 4 + others / 2;
  }

  std::span<const Candidate> candidates_;
  Coverage coverage_;
  Queue queue_;
};

// A summary in the making: the best candidates that fit.
class Draft {
 public:
  Draft(std::span<const Candidate> candidates, std::int64_t max_tokens, text::Encoding encoding)
      : candidates_(candidates),
        ranking_(candidates),
        max_tokens_(max_tokens),
        encoding_(encoding),
        with_header_(count(kSummaryHeader) * kHeaderShare <= max_tokens) {}

  std::string write() {
    // Tokens of lines do not add up exactly: what is left after an exact count is filled again.
    std::int64_t tokens = with_header_ ? count(kSummaryHeader) + 1 : 0;
    for (int round = 0; round < kRounds && fill(tokens); ++round) tokens = trim_to_budget();
    return chosen_.empty() ? of_misfits() : text();
  }

 private:
  // Chooses while candidates fit beside `tokens`; false if none was chosen.
  bool fill(std::int64_t tokens) {
    const std::size_t chosen_before = chosen_.size();
    const std::size_t misfits_before = misfits_.size();
    double best_misfit = 0;
    while (!ranking_.empty() && misfits_.size() - misfits_before < kMisfits) {
      if (!chosen_.empty() && max_tokens_ - tokens < kShortestLine) break;
      const auto [value, candidate] = ranking_.take();
      if (value < best_misfit * (chosen_.empty() ? kBetterThanPart : kWorthwhile)) break;
      const std::int64_t cost = count(format_line(candidates_[candidate]) + '\n');
      if (cost > max_tokens_ - tokens) {
        misfits_.push_back(candidate);
        best_misfit = std::max(best_misfit, value);
        continue;
      }
      tokens += cost;
      ranking_.choose(candidate);
      chosen_.push_back(candidate);
    }
    return chosen_.size() > chosen_before;
  }

  // Drops what was chosen last, the least valuable, until the text fits; returns its tokens.
  std::int64_t trim_to_budget() {
    std::int64_t tokens = count(text());
    while (tokens > max_tokens_ && !chosen_.empty()) {
      misfits_.push_back(chosen_.back());
      chosen_.pop_back();
      tokens = count(text());
    }
    return tokens;
  }

  std::string text() const {
    std::vector<std::size_t> order = chosen_;
    std::ranges::sort(order);
    std::vector<Candidate> sentences;
    for (const std::size_t candidate : order) sentences.push_back(candidates_[candidate]);
    return format_summary(sentences, with_header_);
  }

  // For a budget that no line fits together with the header: a line alone, else a part of one.
  std::string of_misfits() const {
    for (const std::size_t misfit : misfits_) {
      std::string line = format_line(candidates_[misfit]);
      if (count(line) <= max_tokens_) return line;
    }
    for (const std::size_t misfit : misfits_) {
      std::string part = beginning(candidates_[misfit]);
      if (!part.empty()) return part;
    }
    return {};
  }

  // As much of `candidate` as fits, to the end of a word if there is one.
  std::string beginning(const Candidate& candidate) const {
    const std::string line =
        max_tokens_ < kSpeakerBudget ? std::string(candidate.sentence) : format_line(candidate);
    const std::string_view fitting = text::prefix_within(line, max_tokens_, encoding_);
    const std::string_view whole = text::trim(text::prefix_at_word(line, fitting.size()));
    // Fewer characters can be more tokens.
    const bool fits = !whole.empty() && count(whole) <= max_tokens_;
    return std::string(fits ? whole : fitting);
  }

  std::int64_t count(std::string_view text) const { return text::count_tokens(text, encoding_); }

  std::span<const Candidate> candidates_;
  Ranking ranking_;
  std::int64_t max_tokens_;
  text::Encoding encoding_;
  bool with_header_;
  std::vector<std::size_t> chosen_;   // best first
  std::vector<std::size_t> misfits_;  // some that did not fit, best first
};

}  // namespace

std::string extract_summary(std::span<const Message> messages, std::int64_t max_tokens,
                            text::Encoding encoding) {
  if (max_tokens <= 0) return {};
  const std::vector<Candidate> candidates = collect_candidates(messages);
  return Draft(candidates, max_tokens, encoding).write();
}

}  // namespace maas::stm
