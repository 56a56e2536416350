#include "ltm/partition.hpp"

#include "core/error.hpp"
#include "ltm/partition_state.hpp"
#include "text/analysis.hpp"
#include "text/language.hpp"
#include "text/questions.hpp"
#include "text/speakers.hpp"
#include "text/time_expressions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace maas::ltm {
namespace {

constexpr std::size_t kCountReach = std::size(kLaterCount);
constexpr std::size_t kVectorReach = std::size(kLaterVector);
static_assert(kCountReach == std::size(kEarlierCount));
static_assert(kVectorReach == std::size(kEarlierVector));

// Memories whose cosines tell mean and deviation of all: the deviation to about 1 %.
constexpr std::size_t kSampled = 8192;

// What is indexed of a memory: the same each time for the same state, so that what was added can
// be taken out again without being kept.
struct Indexed {
  std::vector<text::TermCount> words;
  std::vector<text::TermCount> grams;
};

float total(const std::vector<text::TermCount>& terms) {
  float count = 0;
  for (const auto& term : terms) count += static_cast<float>(term.count);
  return count;
}

std::size_t bytes_of(const Memory& memory) {
  constexpr std::size_t kFrame = sizeof(Memory) + 64;  // control block, the id's own memory
  return kFrame + memory.text.capacity() + memory.metadata.capacity();
}

}  // namespace

// Changes of one partition.
struct PartitionChanger {
  PartitionState& state;

  std::string_view body(const Place& place) const {
    if (!place.cut) return place.memory->text;
    return text::without_speaker(place.memory->text, state.speakers.name(place.name));
  }

  Indexed analyze(const Place& place) const {
    const std::string_view language = state.languages[place.language].name;
    const auto words = text::content_words(body(place), language);
    return {.words = text::word_terms(words, language), .grams = text::gram_terms(words)};
  }

  std::uint8_t language_of(std::string_view text) {
    const std::string_view name = state.options.language.empty()
                                      ? text::detect_language(text)
                                      : std::string_view(state.options.language);
    const auto found = std::ranges::find(state.languages, name, &PartitionState::Language::name);
    if (found == state.languages.end()) {
      state.languages.push_back({name});
      return static_cast<std::uint8_t>(state.languages.size() - 1);
    }
    return static_cast<std::uint8_t>(found - state.languages.begin());
  }

  // Takes the words of a slot into the index, once it is known whether its name is a speaker's.
  void index(Slot slot) {
    Place& place = state.places[slot];
    place.cut = place.name != kNoSpeaker && state.speakers.speaks(place.name);
    const std::string_view text = body(place);
    place.language = language_of(text);
    ++state.languages[place.language].memories;
    place.question_share = static_cast<float>(text::question_share(text));
    place.tells_time = text::tells_time(text);
    const Indexed terms = analyze(place);
    state.index.add(slot, terms.words);
    state.index.add(slot, terms.grams);
    state.words.own[slot] = total(terms.words);
    state.grams.own[slot] = total(terms.grams);
  }

  void unindex(Slot slot) {
    Place& place = state.places[slot];
    const Indexed terms = analyze(place);
    state.index.remove(slot, terms.words);
    state.index.remove(slot, terms.grams);
    --state.languages[place.language].memories;
    state.words.own[slot] = 0;
    state.grams.own[slot] = 0;
  }

  // The blends of one memory, from itself and its neighbours.
  void blend(Slot slot) {
    blend_length(slot, state.words);
    blend_length(slot, state.grams);
    blend_vector(slot);
  }

  void blend_length(Slot slot, Lengths& lengths) {
    float length = lengths.own[slot];
    state.for_each_before(slot, kCountReach, [&](Slot other, std::size_t distance) {
      length += kLaterCount[distance] * lengths.own[other];
    });
    state.for_each_after(slot, kCountReach, [&](Slot other, std::size_t distance) {
      length += kEarlierCount[distance] * lengths.own[other];
    });
    lengths.blend(slot, length);
  }

  // The sum of a memory's vector and its neighbours', until the next call on this thread.
  std::span<const float> blended_vector(Slot slot) const {
    thread_local std::vector<float> sum;
    const std::span<const float> own = state.vectors.row(slot);
    sum.assign(own.begin(), own.end());
    const auto add = [&](Slot other, float weight) {
      const float* vector = state.vectors.at(other);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * vector[i];
    };
    state.for_each_before(slot, kVectorReach, [&](Slot other, std::size_t distance) {
      add(other, kLaterVector[distance]);
    });
    state.for_each_after(slot, kVectorReach, [&](Slot other, std::size_t distance) {
      add(other, kEarlierVector[distance]);
    });
    return sum;
  }

  void blend_vector(Slot slot) {
    if (state.vectors.dims() == 0) return;
    const std::span<const float> sum = blended_vector(slot);
    state.norms[slot] = std::sqrt(dot(sum.data(), sum.data(), sum.size()));
    if (state.sample && state.sample->takes(slot)) sample(slot, sum);
  }

  void unblend(Slot slot) {
    state.words.blend(slot, 0);
    state.grams.blend(slot, 0);
    state.norms[slot] = 0;
    if (state.sample && state.sample->takes(slot)) sample(slot, state.vectors.row(slot));
  }

  void sample(Slot slot, std::span<const float> blended) {
    const float norm = state.norms[slot];
    state.sample->set(slot, blended, norm == 0 ? 0 : 1 / norm);
  }

  // The blends of a memory's neighbours, and its own.
  void blend_around(Slot slot) {
    blend(slot);
    blend_neighbours(neighbours(slot));
  }

  std::vector<Slot> neighbours(Slot slot) const {
    std::vector<Slot> found;
    const auto note = [&found](Slot other, std::size_t) { found.push_back(other); };
    state.for_each_before(slot, kCountReach, note);
    state.for_each_after(slot, kCountReach, note);
    return found;
  }

  void blend_neighbours(const std::vector<Slot>& slots) {
    for (const Slot slot : slots) blend(slot);
  }

  // Indexes again the other memories that begin with a name, when it has become a speaker's or is
  // none any more.
  void reindex_lines(std::int32_t name, Slot but) {
    for (const Slot slot : state.speakers.lines(name)) {
      if (slot == but) continue;
      unindex(slot);
      index(slot);
      blend_around(slot);
    }
  }

  Slot take_slot() {
    if (!state.free.empty()) {
      const Slot slot = state.free.back();
      state.free.pop_back();
      return slot;
    }
    if (state.places.size() > Posting::kMaxSlot) {
      throw Error(Errc::too_large, "A scope can hold 16 million memories; this one is full");
    }
    state.places.emplace_back();
    state.norms.push_back(0);
    state.words.grow();
    state.grams.grow();
    const auto slot = static_cast<Slot>(state.places.size() - 1);
    state.vectors.grow(slot);
    return slot;
  }

  // Keeps the index of vectors current, or notes what has to be put right once it is built.
  void change_nearest(Slot slot) {
    if (!state.nearest) return;
    if (!state.nearest_ready) {
      if (slot < state.nearest_next) state.nearest_stale.push_back(slot);
    } else {
      put_nearest(slot);
    }
  }

  void put_nearest(Slot slot) {
    if (state.places[slot].has_vector) {
      state.nearest->put(slot, state.vectors.row(slot));
    } else {
      state.nearest->remove(slot);
    }
  }

  void set_vector(Slot slot, std::span<const float> vector) {
    Place& place = state.places[slot];
    if (vector.size() != state.vectors.dims()) vector = {};
    const bool had_vector = std::exchange(place.has_vector, !vector.empty());
    state.with_vector += place.has_vector;
    state.with_vector -= had_vector;
    state.vectors.set(slot, vector);
    if (had_vector || place.has_vector) change_nearest(slot);
  }

  void insert(MemoryPtr memory, std::span<const float> vector) {
    const Slot slot = take_slot();
    Place& place = state.places[slot];
    place.memory = std::move(memory);
    const Memory& stored = *place.memory;
    state.slots.emplace(stored.id, slot);
    if (stored.expires_at) state.expiries.emplace(*stored.expires_at, slot);
    state.memory_bytes += bytes_of(stored);
    set_vector(slot, vector);
    place.told = !stored.speaker.empty();
    const std::string_view name =
        place.told ? std::string_view(stored.speaker) : text::speaker_prefix(stored.text);
    if (!name.empty()) name_speaker(slot, name);
    state.timeline.insert(slot, stored.scope.session_id, stored.created_at, stored.sequence);
    index(slot);
    blend_around(slot);
  }

  void name_speaker(Slot slot, std::string_view name) {
    Place& place = state.places[slot];
    const std::size_t speaking = state.speakers.speaking().size();
    place.name = state.speakers.add(name, place.told, slot);
    if (state.speakers.speaking().size() != speaking) reindex_lines(place.name, slot);
  }

  void remove(Slot slot) {
    Place& place = state.places[slot];
    unindex(slot);
    const std::vector<Slot> around = neighbours(slot);
    state.timeline.remove(slot, place.memory->scope.session_id);
    set_vector(slot, {});
    state.slots.erase(place.memory->id);
    if (place.memory->expires_at) state.expiries.erase({*place.memory->expires_at, slot});
    state.memory_bytes -= bytes_of(*place.memory);
    const std::int32_t name = place.name;
    const bool told = place.told;
    place = {};
    unblend(slot);
    blend_neighbours(around);
    if (name != kNoSpeaker) unname_speaker(slot, name, told);
    state.free.push_back(slot);
  }

  void unname_speaker(Slot slot, std::int32_t name, bool told) {
    const std::size_t speaking = state.speakers.speaking().size();
    // The others need the name while they are taken out of the index.
    state.speakers.remove(name, told, slot);
    if (state.speakers.speaking().size() != speaking) reindex_lines(name, slot);
  }
};

Partition::Partition(const PartitionOptions& options) : state_(new PartitionState(options)) {}
Partition::~Partition() = default;
Partition::Partition(Partition&&) noexcept = default;

void Partition::put(MemoryPtr memory, std::span<const float> vector) {
  PartitionChanger changer{*state_};
  const auto known = state_->slots.find(memory->id);
  if (known != state_->slots.end()) {
    const Slot slot = known->second;
    if (memory->version <= state_->places[slot].memory->version) return;
    changer.remove(slot);
  }
  changer.insert(std::move(memory), vector);
}

void Partition::remove(std::string_view id) {
  const auto known = state_->slots.find(id);
  if (known != state_->slots.end()) PartitionChanger{*state_}.remove(known->second);
}

std::optional<Timestamp> Partition::next_expiry() const {
  if (state_->expiries.empty()) return std::nullopt;
  return state_->expiries.begin()->first;
}

void Partition::remove_expired(Timestamp now) {
  auto& expiries = state_->expiries;
  while (!expiries.empty() && expiries.begin()->first <= now) {
    PartitionChanger{*state_}.remove(expiries.begin()->second);
  }
}

std::vector<std::string> Partition::speakers() const { return state_->speakers.speaking(); }

std::vector<SearchHit> Partition::search(const SearchQuery& query, Timestamp now) const {
  return state_->search(query, nullptr, now);
}

std::vector<SearchHit> Partition::search(const SearchQuery& query, const VectorHits& told,
                                         Timestamp now) const {
  return state_->search(query, &told, now);
}

std::vector<Neighbour> Partition::nearest(std::span<const float> vector, std::size_t limit,
                                          Timestamp now) const {
  return state_->nearest_to(vector, limit, now);
}

std::optional<std::vector<std::int64_t>> Partition::sequences(const SearchQuery& query,
                                                              Timestamp now,
                                                              std::size_t limit) const {
  std::vector<std::int64_t> found;
  for (const Place& place : state_->places) {
    if (!place.memory || !is_asked_for(*place.memory, query, now)) continue;
    if (found.size() == limit) return std::nullopt;
    found.push_back(place.memory->sequence);
  }
  return found;
}

bool Partition::wants_index() const {
  return state_->with_vector > state_->options.hnsw_threshold && !state_->nearest_ready;
}

bool Partition::build_index(std::size_t vectors) {
  PartitionState& state = *state_;
  if (!state.nearest) {
    state.nearest = make_hnsw_index(state.vectors.dims());
    state.sample.emplace(state.vectors.dims(), 1 + state.with_vector / kSampled);
  }
  PartitionChanger changer{state};
  const auto end = static_cast<Slot>(state.places.size());
  for (; state.nearest_next < end && vectors > 0; ++state.nearest_next) {
    const Slot slot = state.nearest_next;
    if (state.sample->takes(slot)) changer.sample(slot, changer.blended_vector(slot));
    if (!state.places[slot].has_vector) continue;
    state.nearest->put(slot, state.vectors.row(slot));
    --vectors;
  }
  return state.nearest_next < end;
}

void Partition::finish_index() {
  while (build_index(state_->places.size())) {
  }
  PartitionChanger changer{*state_};
  for (const Slot slot : std::exchange(state_->nearest_stale, {})) changer.put_nearest(slot);
  state_->nearest_ready = true;
}

std::size_t Partition::size() const { return state_->slots.size(); }

std::size_t Partition::bytes() const {
  constexpr std::size_t kSlotEntry = sizeof(std::string_view) + sizeof(Slot) + 8;
  constexpr std::size_t kExpiry = 64;                  // a node of their set
  constexpr std::size_t kNumbers = 5 * sizeof(float);  // lengths and norm
  return sizeof(PartitionState) + state_->places.capacity() * (sizeof(Place) + kNumbers) +
         state_->slots.bucket_count() * kSlotEntry + state_->index.bytes() +
         state_->vectors.bytes() + state_->timeline.bytes() + state_->speakers.bytes() +
         (state_->nearest_ready ? state_->nearest->bytes() + state_->sample->bytes() : 0) +
         state_->expiries.size() * kExpiry + state_->memory_bytes;
}

}  // namespace maas::ltm
