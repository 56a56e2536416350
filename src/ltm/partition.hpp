#pragma once

#include "core/memory.hpp"
#include "ltm/search.hpp"
#include "ltm/vector_hits.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

struct PartitionOptions {
  std::size_t dims = 0;                 // of every vector; 0: there are none
  std::size_t hnsw_threshold = 20'000;  // vectors past which an index finds the nearest
  std::string language = {};            // Snowball's name; empty: detected, memory by memory
};

struct PartitionState;

// The memories of one scope in memory, laid out for search: vectors side by side, postings of
// words and 4-grams, neighbours in time, and the statistics of all of them, kept exact by every
// change. Many threads may call const functions at once; a change needs the partition for itself.
class Partition {
 public:
  explicit Partition(const PartitionOptions& options);
  ~Partition();
  Partition(Partition&&) noexcept;

  // Takes a memory in, or a newer version of one that is here; an older version changes nothing.
  // `vector` is of `dims` floats, L2-normalized, or empty.
  void put(MemoryPtr memory, std::span<const float> vector);

  // Nothing happens if the memory isn't here.
  void remove(std::string_view id);

  // When the first of the memories expires, if one does; and to remove what has by `now`, so that
  // nothing of it is left in statistics or in its neighbours.
  std::optional<Timestamp> next_expiry() const;
  void remove_expired(Timestamp now);

  // The names of those who speak here: told by metadata or message, or in front of at least three
  // memories ("Name: …").
  std::vector<std::string> speakers() const;

  // The best memories for a query that are visible at `now`, best first.
  std::vector<SearchHit> search(const SearchQuery& query, Timestamp now) const;

  // The same with cosines that were told: the partition may be without vectors. The nearer the
  // filter of the query is to that of the vector search, the better it ranks.
  std::vector<SearchHit> search(const SearchQuery& query, const VectorHits& told,
                                Timestamp now) const;

  // The sequences of the memories that the categories and the filter of a query let through;
  // nullopt if they are more than `limit`.
  std::optional<std::vector<std::int64_t>> sequences(const SearchQuery& query, Timestamp now,
                                                     std::size_t limit) const;

  // The memories visible at `now` whose own vectors are nearest to `vector`, the nearest first.
  std::vector<Neighbour> nearest(std::span<const float> vector, std::size_t limit,
                                 Timestamp now) const;

  // Whether there are so many vectors that an index should be built beside the searches: one
  // thread calls build_index() until it says that nothing is left, while others may search but
  // nobody changes anything, then finish_index() with the partition for itself. Changes may happen
  // between the calls.
  bool wants_index() const;
  // Takes up to `vectors` more into the index. False: all are in it.
  bool build_index(std::size_t vectors);
  // From now on searches use the index, and changes keep it current.
  void finish_index();

  std::size_t size() const;   // memories
  std::size_t bytes() const;  // about what this takes in memory

 private:
  std::unique_ptr<PartitionState> state_;
};

}  // namespace maas::ltm
