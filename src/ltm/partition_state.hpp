#pragma once

#include "core/memory.hpp"
#include "ltm/nearest_index.hpp"
#include "ltm/partition.hpp"
#include "ltm/ranking.hpp"
#include "ltm/speaker_table.hpp"
#include "ltm/term_index.hpp"
#include "ltm/timeline.hpp"
#include "ltm/vector_sample.hpp"
#include "ltm/vector_table.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::ltm {

// With an index of vectors each arm gives so many candidates per result, and at least.
inline constexpr std::size_t kNearestFactor = 4;
inline constexpr std::size_t kLeastNearest = 100;

// How long each memory is in terms of one kind, alone and blended with its neighbours. By slot, for
// BM25 goes through them in that order.
struct Lengths {
  std::vector<float> own;
  std::vector<float> blended;
  double total_blended = 0;

  void grow() {
    own.push_back(0);
    blended.push_back(0);
  }
  void blend(Slot slot, float length) {
    total_blended += length - blended[slot];
    blended[slot] = length;
  }
};

// What search needs of one memory beside its postings and its vector.
struct Place {
  MemoryPtr memory;                // null: the slot is free
  std::int32_t name = kNoSpeaker;  // whose name was told or stands in front, speaker or not
  bool told = false;
  bool cut = false;  // the name in front is not indexed: it is a speaker's
  bool tells_time = false;
  bool has_vector = false;
  std::uint8_t language = 0;  // index into State::languages
  float question_share = 0;
};

// The parts of a Partition; partition.cpp changes them, partition_search.cpp reads them.
struct PartitionState {
  explicit PartitionState(const PartitionOptions& given) : options(given), vectors(given.dims) {}

  struct Language {
    std::string_view name;
    std::size_t memories = 0;
  };

  // `told` null: with the vectors that are here.
  std::vector<SearchHit> search(const SearchQuery& query, const VectorHits* told,
                                Timestamp now) const;
  std::vector<Neighbour> nearest_to(std::span<const float> vector, std::size_t limit,
                                    Timestamp now) const;

  // Calls `visit(slot, distance)` for the up to `reach` memories before, or after, that of `slot`
  // in its session; the nearest has the distance 0.
  template <class Visit>
  void for_each_before(Slot slot, std::size_t reach, Visit visit) const {
    for (std::size_t distance = 0; distance < reach; ++distance) {
      slot = timeline.before(slot);
      if (slot == kNoSlot) return;
      visit(slot, distance);
    }
  }
  template <class Visit>
  void for_each_after(Slot slot, std::size_t reach, Visit visit) const {
    for (std::size_t distance = 0; distance < reach; ++distance) {
      slot = timeline.after(slot);
      if (slot == kNoSlot) return;
      visit(slot, distance);
    }
  }

  PartitionOptions options;
  std::vector<Place> places;
  std::vector<Slot> free;
  boost::unordered_flat_map<std::string_view, Slot> slots;  // by id; the keys are the memories' own
  TermIndex index;
  VectorTable vectors;
  std::vector<float> norms;  // of the vectors blended with their neighbours'; 0: there is none
  Timeline timeline;
  SpeakerTable speakers;
  std::vector<Language> languages;

  // Null while there are few vectors. Built in steps beside the searches, which do without it until
  // it is ready; what changes meanwhile below `nearest_next` is put right at the end.
  std::unique_ptr<NearestIndex> nearest;
  std::optional<VectorSample> sample;  // of the normalized blended vectors; goes with `nearest`
  bool nearest_ready = false;
  Slot nearest_next = 0;
  std::vector<Slot> nearest_stale;

  std::size_t with_vector = 0;  // memories that have one
  Lengths words;
  Lengths grams;
  std::set<std::pair<Timestamp, Slot>> expiries;  // of the memories that expire
  std::size_t memory_bytes = 0;                   // of texts and metadata
};

}  // namespace maas::ltm
