#include "ltm/ranking.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace maas::ltm {
namespace {

using std::chrono::days;

constexpr double kNamedSpeaker = 1.5;        // the only speaker that the query names
constexpr double kFirstNamedSpeaker = 1.25;  // of several
constexpr double kQuestionLoss = .4;         // of a memory that is nothing but questions
constexpr double kTimeTold = 1.4;            // a memory that says when, if the query asks

// A memory of the time that the query names, or shortly after it.
struct DateWeights {
  double near;
  double inside;
};
constexpr DateWeights kDayWeights{.near = 2, .inside = 4};
constexpr DateWeights kMonthWeights{.near = 1, .inside = 2};
constexpr double kAfterDate = .4;
constexpr double kAfterDateDays = 7;  // in which nearness falls to a third

struct Period {
  std::chrono::sys_days begin;
  std::chrono::sys_days end;  // the first day after it
};

std::optional<Period> period_of(const text::NamedDate& date, std::chrono::year year) {
  const std::chrono::month month(static_cast<unsigned>(date.month));
  if (!date.day) {
    const auto first = year / month / 1;
    return Period{first, first + std::chrono::months(1)};
  }
  const std::chrono::year_month_day day =
      year / month / std::chrono::day(static_cast<unsigned>(*date.day));
  if (!day.ok()) return std::nullopt;  // 29 February
  return Period{day, std::chrono::sys_days(day) + days(1)};
}

// From 0 to 1: 1 inside the period, falling after its end.
double nearness(const Period& period, Timestamp time) {
  if (time < period.begin) return 0;
  if (time < period.end) return 1;
  const std::chrono::duration<double, days::period> after = time - period.end;
  return kAfterDate * std::exp(-after.count() / kAfterDateDays);
}

// A date without a year may be of any: the nearest one before `time` counts.
double nearness(const text::NamedDate& date, Timestamp time) {
  const std::chrono::year_month_day day(std::chrono::floor<days>(time));
  double nearest = 0;
  for (const std::chrono::year year : {day.year(), day.year() - std::chrono::years(1)}) {
    if (date.year && std::chrono::year(*date.year) != year) continue;
    if (const auto period = period_of(date, year)) {
      nearest = std::max(nearest, nearness(*period, time));
    }
  }
  return nearest;
}

double speaker_factor(const Candidate& candidate, const QueryTraits& query) {
  if (query.speakers.empty() || candidate.speaker != query.speakers.front()) return 1;
  return query.speakers.size() == 1 ? kNamedSpeaker : kFirstNamedSpeaker;
}

double recency_factor(const Candidate& candidate, const QueryTraits& query) {
  const Recency& recency = query.recency;
  if (recency.weight <= 0) return 1;
  const std::chrono::duration<double, days::period> age = query.now - candidate.time;
  const double fresh = std::exp2(-std::max(0., age.count()) / recency.half_life_days);
  return (1 - recency.weight) + recency.weight * fresh;
}

// The sum of the arms with all factors but recency's.
double fuse(const Candidate& candidate, const QueryTraits& query) {
  double fused = candidate.lexical + kDenseWeight * candidate.dense;
  if (fused <= 0) return 0;
  fused *= speaker_factor(candidate, query);
  fused *= 1 - kQuestionLoss * candidate.question_share;
  if (query.asks_for_time && candidate.tells_time) fused *= kTimeTold;
  if (query.date) {
    const DateWeights& weights = query.date->day ? kDayWeights : kMonthWeights;
    const double near = nearness(*query.date, candidate.time);
    fused *= 1 + weights.near * near;
    if (near == 1) fused += weights.inside;
  }
  return fused;
}

}  // namespace

double inverse_document_frequency(std::size_t memories, std::size_t holders) {
  const auto n = static_cast<double>(memories);
  const auto df = static_cast<double>(holders);
  return std::log(1 + (n - df + .5) / (df + .5));
}

void CosineScale::add(double cosine, double variance) {
  count_ += 1;
  sum_ += cosine;
  squares_ += cosine * cosine + variance;
}

void CosineScale::finish() {
  // Sums of `kPriorCount` imagined cosines of the prior's mean and deviation.
  const double count = count_ + kPriorCount;
  const double sum = sum_ + kPriorCount * kPriorMean;
  const double squares =
      squares_ + kPriorCount * (kPriorMean * kPriorMean + kPriorDeviation * kPriorDeviation);
  mean_ = sum / count;
  deviation_ = std::sqrt(std::max(squares / count - mean_ * mean_, 1e-12));
}

double CosineScale::dense(double cosine) const {
  return std::max(0., (cosine - mean_) / deviation_);
}

std::vector<Ranked> rank(std::span<const Candidate> candidates, const QueryTraits& query,
                         std::size_t limit, double threshold, const Accept& accept) {
  std::vector<Ranked> heap;
  heap.reserve(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const double recency = recency_factor(candidates[i], query);
    const double fused = fuse(candidates[i], query) * recency;
    if (fused <= 0) continue;
    const double score = std::min(1., fused / query.ceiling);
    if (score < threshold) continue;
    heap.push_back({.candidate = i, .fused = fused, .recency = recency, .score = score});
  }
  const auto worse = [candidates](const Ranked& a, const Ranked& b) {
    if (a.fused != b.fused) return a.fused < b.fused;
    const Candidate& first = candidates[a.candidate];
    const Candidate& second = candidates[b.candidate];
    if (first.time != second.time) return first.time < second.time;
    return first.sequence < second.sequence;
  };
  std::ranges::make_heap(heap, worse);
  std::vector<Ranked> best;
  best.reserve(std::min(limit, heap.size()));
  while (!heap.empty() && best.size() < limit) {
    std::ranges::pop_heap(heap, worse);
    if (accept(candidates[heap.back().candidate])) best.push_back(heap.back());
    heap.pop_back();
  }
  return best;
}

}  // namespace maas::ltm
