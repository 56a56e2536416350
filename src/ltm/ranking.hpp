#pragma once

#include "core/time.hpp"
#include "ltm/search.hpp"
#include "text/time_expressions.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace maas::ltm {

// How the arms of a search become one score (retrieval steps 3 to 8). Pure.

// BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009), with each count
// blended with those of the neighbours in time.
inline constexpr float kBm25Saturation = 1.2f;  // k1
inline constexpr float kBm25Length = .4f;       // b
inline constexpr float kGramWeight = .1f;       // of the 4-grams' BM25 beside the words'

// What a count is worth to the memories 1, 2, 3, 4 places later, and earlier.
inline constexpr float kLaterCount[] = {.5f, .3f, .18f, .108f};
inline constexpr float kEarlierCount[] = {.3f, .18f, .108f, .0648f};
// What an embedding adds to the memories 1 and 2 places later, and earlier.
inline constexpr float kLaterVector[] = {.3f, .15f};
inline constexpr float kEarlierVector[] = {.2f, .1f};

inline constexpr double kDenseWeight = 3;
inline constexpr double kDenseReach = 6;  // deviations above the mean that a match may be at most

// The cosines of a few memories say little about their mean and deviation: so many more of an
// average scope are counted in.
inline constexpr double kPriorCount = 8;
inline constexpr double kPriorMean = .12;
inline constexpr double kPriorDeviation = .12;

// Of the vectors of two memories that stand beside each other, on average: taken where the vectors
// themselves are out of reach.
inline constexpr float kNeighbourCosine = .35f;

// BM25's weight of a term that `holders` of `memories` hold.
double inverse_document_frequency(std::size_t memories, std::size_t holders);

// How far cosines lie above their mean, in deviations.
class CosineScale {
 public:
  // `variance`: of what was guessed in it.
  void add(double cosine, double variance = 0);
  // From 0: not above the mean.
  double dense(double cosine) const;
  void finish();

 private:
  double count_ = 0, sum_ = 0, squares_ = 0;
  double mean_ = 0, deviation_ = 1;
};

inline constexpr std::int32_t kNoSpeaker = -1;

// One memory that an arm has found. 24 bits of its traits decide its factors.
struct Candidate {
  std::uint32_t index = 0;  // the engine's name for it
  float lexical = 0;
  float cosine = std::numeric_limits<float>::quiet_NaN();  // NaN: it has no vector
  float dense = 0;                                         // CosineScale::dense
  std::int32_t speaker = kNoSpeaker;
  float question_share = 0;  // text::question_share
  bool tells_time = false;   // text::tells_time
  Timestamp time{};
  std::int64_t sequence = 0;
};

// What a query asks for beside its words.
struct QueryTraits {
  std::vector<std::int32_t> speakers = {};  // that it names, the first first, each once
  bool asks_for_time = false;
  std::optional<text::NamedDate> date = {};
  double ceiling = 1;  // what the arms could reach at most
  Recency recency = {};
  Timestamp now{};
};

struct Ranked {
  std::size_t candidate = 0;  // index into the candidates
  double fused = 0;
  double recency = 1;
  double score = 0;  // from 0 to 1
};

// Which candidates may be results. Asked in order of rank, so that costly conditions are looked at
// for few.
using Accept = std::function<bool(const Candidate&)>;

// The best `limit` of the accepted candidates that match at all and reach `threshold`, best first.
// Equal ones: the newer first.
std::vector<Ranked> rank(std::span<const Candidate> candidates, const QueryTraits& query,
                         std::size_t limit, double threshold, const Accept& accept);

}  // namespace maas::ltm
