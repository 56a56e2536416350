#include "ltm/partition_state.hpp"
#include "ltm/sparse_sums.hpp"
#include "ltm/told_cosines.hpp"
#include "text/analysis.hpp"
#include "text/language.hpp"
#include "text/speakers.hpp"
#include "text/stop_words.hpp"
#include "text/time_expressions.hpp"
#include "trace/metrics.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

namespace maas::ltm {
namespace {

using std::chrono::steady_clock;

// Postings of 4-grams that a search looks at. They are there for what is written differently, which
// the rare ones tell; in a scope of a hundred thousand the frequent ones would take most of its
// time.
constexpr std::size_t kGramPostings = 20'000;

constexpr std::size_t kMostLanguages = 3;  // in which the words of a query are looked up

// One word of a query in one base form, or one of its 4-grams.
struct QueryTerm {
  text::Term term;
  float count;
  std::span<const Posting> postings;
  std::string base_form;  // empty: a 4-gram
};

struct PreparedQuery {
  std::vector<QueryTerm> words;
  std::vector<QueryTerm> grams;
  QueryTraits traits;
};

// What every search on a thread uses again; empty between searches.
struct Scratch {
  SparseSums counts;           // of the term at hand, blended
  SparseSums lexical;          // what all terms so far are worth
  std::vector<float> dots;     // of the query and each vector
  std::vector<float> cosines;  // of the query and each vector in its context
};

class Search {
 public:
  Search(const PartitionState& state, const SearchQuery& query, const VectorHits* told,
         Timestamp now)
      : state_(state),
        query_(query),
        told_(told),
        now_(now),
        memories_(state.slots.size()),
        asks_for_all_(!query.filter && query.categories.empty() &&
                      (state.expiries.empty() || state.expiries.begin()->first > now)) {}

  std::vector<SearchHit> run() {
    static thread_local Scratch scratch;
    scratch.counts.fit(state_.places.size());
    scratch.lexical.fit(state_.places.size());
    const auto began = steady_clock::now();
    prepare();
    add_terms(prepared_.words, state_.words, 1, scratch);
    add_terms(rare_grams(), state_.grams, kGramWeight, scratch);
    if (has_vector()) prepared_.traits.ceiling += kDenseWeight * kDenseReach;
    const auto words_done = steady_clock::now();
    collect(scratch);
    scratch.lexical.drain([](Slot, float) {});
    std::vector<SearchHit> hits = results();
    count("words", words_done - began);
    count("vectors", steady_clock::now() - words_done);
    return hits;
  }

 private:
  static void count(std::string_view arm, steady_clock::duration duration) {
    trace::metrics().searches.record(std::chrono::duration<double>(duration).count(), {arm});
  }

  const Place& place(const Candidate& candidate) const { return state_.places[candidate.index]; }

  // To look into a memory costs more than to rank it.
  bool is_asked_for(const Place& place) const {
    return asks_for_all_ || ltm::is_asked_for(*place.memory, query_, now_);
  }

  bool has_vector() const {
    return told_ || (!query_.vector.empty() && query_.vector.size() == state_.vectors.dims());
  }

  // The languages of the scope's memories, the most frequent first.
  std::vector<std::string_view> languages() const {
    auto counted = state_.languages;
    std::ranges::sort(counted, std::ranges::greater(), &PartitionState::Language::memories);
    std::vector<std::string_view> names;
    for (const auto& language : counted) {
      if (language.memories > 0 && names.size() < kMostLanguages) names.push_back(language.name);
    }
    if (names.empty()) names.push_back(text::kEnglish);
    return names;
  }

  // The query's language if memories are written in it, else that of most of them.
  std::string_view language_among(const std::vector<std::string_view>& known) const {
    if (known.size() == 1) return known.front();
    const std::string_view detected = text::detect_language(query_.text);
    return std::ranges::find(known, detected) != known.end() ? detected : known.front();
  }

  void prepare() {
    const auto mentions = text::find_mentions(query_.text, state_.speakers.speaking());
    QueryTraits& traits = prepared_.traits;
    for (const text::Mention& mention : mentions) {
      const std::int32_t number = state_.speakers.number(mention.speaker);
      if (std::ranges::find(traits.speakers, number) == traits.speakers.end()) {
        traits.speakers.push_back(number);
      }
    }
    traits.asks_for_time = text::asks_for_time(query_.text);
    traits.date = text::date_in(query_.text);
    traits.ceiling = 0;
    traits.recency = query_.recency;
    traits.now = now_;

    const std::vector<std::string_view> known = languages();
    const std::string_view language = language_among(known);
    std::vector<std::string> words;
    if (!mentions.empty()) {
      words = text::content_words(text::without_mentions(query_.text, mentions), language);
    }
    // "Who is Nora?": then the names are what is looked for.
    const auto says_nothing = [language](const std::string& word) {
      return text::is_stop_word(word, language);
    };
    if (std::ranges::all_of(words, says_nothing)) {
      words = text::content_words(query_.text, language);
    }
    for (const std::string& word : words) {
      for (const std::string_view each : known) add_word(text::base_form(word, each));
    }
    for (const auto& [term, count] : text::gram_terms(words)) {
      prepared_.grams.push_back({term, static_cast<float>(count), state_.index.find(term), {}});
    }
  }

  // A word counts once per occurrence in the query, though several languages share its base form.
  void add_word(std::string base_form) {
    const text::Term term = text::word_term(base_form);
    const auto known = std::ranges::find(prepared_.words, term, &QueryTerm::term);
    if (known == prepared_.words.end()) {
      prepared_.words.push_back({term, 1, state_.index.find(term), std::move(base_form)});
    } else {
      known->count += 1;
    }
  }

  float weight(const QueryTerm& term) const {
    const double rarity = inverse_document_frequency(memories_, term.postings.size());
    return term.count * static_cast<float>(rarity) * (kBm25Saturation + 1);
  }

  // The 4-grams of a query that are looked at: in a large scope the rarest.
  std::span<const QueryTerm> rare_grams() {
    const auto holders = [](const QueryTerm& term) { return term.postings.size(); };
    std::size_t all = 0;
    for (const QueryTerm& gram : prepared_.grams) all += holders(gram);
    if (all <= kGramPostings) return prepared_.grams;
    std::ranges::sort(prepared_.grams, {}, holders);
    std::size_t postings = 0;
    const auto end = std::ranges::find_if(prepared_.grams, [&](const QueryTerm& gram) {
      return (postings += holders(gram)) > kGramPostings;
    });
    return {prepared_.grams.begin(), end};
  }

  // BM25 of terms of one kind, each count blended with those of the neighbours.
  void add_terms(std::span<const QueryTerm> terms, const Lengths& lengths, float kind_weight,
                 Scratch& scratch) {
    const auto mean = static_cast<float>(lengths.total_blended / static_cast<double>(memories_));
    const float per_length = kBm25Saturation * kBm25Length / std::max(1.f, mean);
    for (const QueryTerm& term : terms) {
      const float most = kind_weight * weight(term);
      prepared_.traits.ceiling += most;
      spread(term.postings, scratch.counts);
      scratch.counts.drain([&](Slot slot, float count) {
        const float saturation =
            kBm25Saturation * (1 - kBm25Length) + per_length * lengths.blended[slot];
        scratch.lexical.add(slot, most * count / (count + saturation));
      });
    }
  }

  // Adds each posting's count to its memory and that memory's neighbours.
  void spread(std::span<const Posting> postings, SparseSums& counts) const {
    for (const Posting posting : postings) {
      const auto count = static_cast<float>(posting.count());
      counts.add(posting.slot(), count);
      state_.for_each_after(posting.slot(), std::size(kLaterCount),
                            [&](Slot later, std::size_t distance) {
                              counts.add(later, kLaterCount[distance] * count);
                            });
      state_.for_each_before(posting.slot(), std::size(kEarlierCount),
                             [&](Slot earlier, std::size_t distance) {
                               counts.add(earlier, kEarlierCount[distance] * count);
                             });
    }
  }

  // The cosine of the query and a memory's vector blended with its neighbours'. `dot_of` gives the
  // dot product of the query and the vector of a slot. NaN: there is no vector.
  template <class DotOf>
  float cosine(Slot slot, DotOf dot_of) const {
    const float norm = state_.norms[slot];
    if (norm == 0) return std::numeric_limits<float>::quiet_NaN();
    float sum = dot_of(slot);
    state_.for_each_before(slot, std::size(kLaterVector), [&](Slot other, std::size_t distance) {
      sum += kLaterVector[distance] * dot_of(other);
    });
    state_.for_each_after(slot, std::size(kEarlierVector), [&](Slot other, std::size_t distance) {
      sum += kEarlierVector[distance] * dot_of(other);
    });
    return sum / norm;
  }

  void collect(Scratch& scratch) {
    if (told_) {
      collect_told(scratch);
    } else if (!has_vector()) {
      collect_found(scratch.lexical);
    } else if (state_.nearest_ready && query_.categories.empty() && !query_.filter) {
      collect_nearest(scratch.lexical);
    } else {
      collect_all(scratch);
    }
  }

  // What the words find.
  void collect_found(SparseSums& lexical) {
    constexpr float kNoVector = std::numeric_limits<float>::quiet_NaN();
    candidates_.reserve(lexical.slots().size());
    for (const Slot slot : lexical.slots()) add_candidate(slot, lexical[slot], kNoVector, {});
  }

  // What either arm finds, each memory with its cosine.
  void collect_all(Scratch& scratch) {
    const auto slots = static_cast<Slot>(state_.places.size());
    scratch.dots.resize(slots);
    scratch.cosines.resize(slots);
    state_.vectors.dot_all(query_.vector.data(), slots, scratch.dots.data());
    const auto dot_of = [&scratch](Slot slot) { return scratch.dots[slot]; };
    CosineScale scale;
    for (Slot slot = 0; slot < slots; ++slot) {
      const float found = scratch.cosines[slot] = cosine(slot, dot_of);
      if (!std::isnan(found)) scale.add(found);
    }
    scale.finish();
    candidates_.reserve(memories_);
    for (Slot slot = 0; slot < slots; ++slot) {
      add_candidate(slot, scratch.lexical[slot], scratch.cosines[slot], scale);
    }
  }

  // What either arm finds, with the cosines that were told.
  void collect_told(Scratch& scratch) {
    const auto holds_asked_for = [this](const Place& each) {
      return each.memory && is_asked_for(each);
    };
    std::size_t among = told_->among;
    if (among == 0) {
      among = asks_for_all_
                  ? memories_
                  : static_cast<std::size_t>(std::ranges::count_if(state_.places, holds_asked_for));
    }
    const ToldCosines told(state_, *told_, among, scratch.dots);
    const auto slots = static_cast<Slot>(state_.places.size());
    scratch.cosines.resize(slots);
    CosineScale scale;
    for (Slot slot = 0; slot < slots; ++slot) {
      const auto [cosine, variance] = told.in_context(slot);
      scratch.cosines[slot] = cosine;
      if (!std::isnan(cosine)) scale.add(cosine, variance);
    }
    scale.finish();
    candidates_.reserve(memories_);
    for (Slot slot = 0; slot < slots; ++slot) {
      add_candidate(slot, scratch.lexical[slot], scratch.cosines[slot], scale);
    }
  }

  // The memories that either arm finds first, and those beside the nearest: their vectors are part
  // of their neighbours'.
  void collect_nearest(SparseSums& lexical) {
    const std::size_t count = std::max(kNearestFactor * query_.limit, kLeastNearest);
    std::vector<Slot> slots = state_.nearest->nearest(query_.vector, count);
    const std::size_t hits = slots.size();
    const auto note = [&slots](Slot slot, std::size_t) { slots.push_back(slot); };
    for (std::size_t i = 0; i < hits; ++i) {
      const Slot hit = slots[i];
      state_.for_each_before(hit, std::size(kEarlierVector), note);
      state_.for_each_after(hit, std::size(kLaterVector), note);
    }
    const std::span<Slot> found = lexical.slots();
    const auto middle = found.begin() + static_cast<std::ptrdiff_t>(std::min(count, found.size()));
    std::ranges::nth_element(found, middle, std::ranges::greater(),
                             [&lexical](Slot slot) { return lexical[slot]; });
    slots.insert(slots.end(), found.begin(), middle);
    std::ranges::sort(slots);
    const auto repeated = std::ranges::unique(slots);
    slots.erase(repeated.begin(), repeated.end());

    const auto dot_of = [this](Slot slot) {
      return dot(query_.vector.data(), state_.vectors.at(slot), query_.vector.size());
    };
    CosineScale scale;
    state_.sample->for_each_dot(query_.vector, [&scale](float cosine) { scale.add(cosine); });
    scale.finish();
    candidates_.reserve(slots.size());
    for (const Slot slot : slots) {
      add_candidate(slot, lexical[slot], cosine(slot, dot_of), scale);
    }
  }

  // Nothing is added that neither arm finds, unless ranks among all are asked for.
  void add_candidate(Slot slot, float lexical, float cosine, const CosineScale& scale) {
    const float dense = std::isnan(cosine) ? 0 : static_cast<float>(scale.dense(cosine));
    if (lexical <= 0 && dense <= 0 && !query_.explain) return;
    const Place& place = state_.places[slot];
    if (!place.memory) return;
    candidates_.push_back({
        .index = slot,
        .lexical = lexical,
        .cosine = cosine,
        .dense = dense,
        .speaker = place.cut || place.told ? place.name : kNoSpeaker,
        .question_share = place.question_share,
        .tells_time = place.tells_time,
        .time = state_.timeline.time(slot),
        .sequence = state_.timeline.sequence(slot),
    });
  }

  std::vector<SearchHit> results() const {
    const auto ranked =
        rank(candidates_, prepared_.traits, query_.limit, query_.threshold,
             [this](const Candidate& candidate) { return is_asked_for(place(candidate)); });
    std::vector<SearchHit> hits;
    hits.reserve(ranked.size());
    for (const Ranked& each : ranked) {
      const Candidate& candidate = candidates_[each.candidate];
      SearchHit& hit = hits.emplace_back();
      hit.memory = place(candidate).memory;
      hit.score = each.score;
      if (query_.explain) hit.explanation = explain(candidate, each);
    }
    return hits;
  }

  Explanation explain(const Candidate& candidate, const Ranked& ranked) const {
    Explanation explanation;
    if (!std::isnan(candidate.cosine)) {
      explanation.cosine = candidate.cosine;
      explanation.cosine_rank = rank_of(candidate.cosine, &Candidate::cosine);
    }
    explanation.lexical = candidate.lexical;
    if (candidate.lexical > 0) {
      explanation.lexical_rank = rank_of(candidate.lexical, &Candidate::lexical);
    }
    explanation.recency = ranked.recency;
    explanation.fused = ranked.fused;
    for (const QueryTerm& term : prepared_.words) {
      if (state_.index.holds(term.term, candidate.index)) {
        explanation.matched_terms.push_back(term.base_form);
      }
    }
    return explanation;
  }

  std::size_t rank_of(float value, float Candidate::*arm) const {
    return 1 + static_cast<std::size_t>(std::ranges::count_if(
                   candidates_, [=](const Candidate& other) { return other.*arm > value; }));
  }

  const PartitionState& state_;
  const SearchQuery& query_;
  const VectorHits* told_;  // null: the partition has vectors of its own, if there are any
  Timestamp now_;
  std::size_t memories_;
  bool asks_for_all_;  // and finds no memory that expired
  PreparedQuery prepared_;
  std::vector<Candidate> candidates_;
};

}  // namespace

std::vector<SearchHit> PartitionState::search(const SearchQuery& query, const VectorHits* told,
                                              Timestamp now) const {
  if (slots.empty() || query.limit == 0) return {};
  return Search(*this, query, told, now).run();
}

}  // namespace maas::ltm
