// ltm: long-term memory. Keeps what was told and finds it again; knows nothing of HTTP.
#pragma once

#include "core/memory.hpp"
#include "llm/embedder.hpp"
#include "ltm/filter.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace maas::ltm {

// How strongly newer memories are preferred, if at all: the fused score is multiplied by
// (1 - weight) + weight · 0.5^(age / half-life).
struct Recency {
  double half_life_days = 30;
  double weight = 0;  // 0 to 1; 0: age doesn't matter
};

// What is looked for within one scope.
struct SearchQuery {
  std::string text = {};
  llm::Vector vector = {};                // of the text; empty: by words alone
  std::vector<Category> categories = {};  // empty: all
  std::optional<Filter> filter = {};      // decides before anything is ranked
  std::size_t limit = 100;
  double threshold = 0;  // results have at least this score
  Recency recency = {};
  bool explain = false;
};

// Whether a search may find `memory` at `now`.
bool is_asked_for(const Memory& memory, const SearchQuery& query, Timestamp now);

// Why a result stands where it stands. A rank counts from 1 among all memories that the arm found.
struct Explanation {
  std::optional<double> cosine;  // of the query and the memory in its context; absent: no vector
  std::optional<std::size_t> cosine_rank;
  double lexical = 0;  // BM25 of words and 4-grams
  std::optional<std::size_t> lexical_rank;
  double recency = 1;  // the factor of its age
  double fused = 0;    // the sum of the arms with all factors, before it becomes the score
  std::vector<std::string> matched_terms;  // words of the query, in base form, that it holds itself
};

// A memory and the cosine of its own vector, not blended with others', to another.
struct Neighbour {
  MemoryPtr memory;
  double cosine = 0;
};

struct SearchHit {
  MemoryPtr memory;
  double score = 0;         // from 0 to 1, comparable between queries
  Explanation explanation;  // ranks and terms only if they were asked for
};

}  // namespace maas::ltm
