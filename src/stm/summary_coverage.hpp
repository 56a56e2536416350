#pragma once

#include "stm/summary_lines.hpp"
#include "text/words.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace maas::stm {

// What each candidate adds to the candidates chosen before it, from the terms (stems without stop
// words and courtesies) of all of them.
//
// A term weighs (1 + ln(n)/3) · ln(1 + N/n) when n of N sentences hold it: what runs through the
// conversation, and what is rare. Details - names, numbers, dates, addresses, identifiers - weigh
// more. A candidate is worth the weights of its terms, those that a chosen candidate holds already
// at a fraction, times a factor for its place and kind. So the sum over a sentence is its part in
// the centroid of the conversation; comparing all pairs of sentences would take quadratic time.
class Coverage {
 public:
  // Time is linear in the words of the sentences. Borrows nothing.
  explicit Coverage(std::span<const Candidate> candidates);

  // False for what says nothing but a courtesy, and where there are no words at all.
  bool says_something(std::size_t candidate) const { return !terms_of(candidate).empty(); }

  // Above 0. Falls only by choose(), at most once per term, and never rises.
  double gain(std::size_t candidate) const;

  void choose(std::size_t candidate);

 private:
  using TermId = std::uint32_t;

  struct Term {
    std::uint32_t sentences = 0;    // that hold it
    std::uint32_t capitalized = 0;  // times, not counting sentence beginnings
    std::uint32_t small = 0;        // times without a capital
    bool is_detail = false;
    bool is_covered = false;
    double weight = 0;
  };

  void add_sentence(std::span<const text::Word> words);
  void add_word(const text::Word& word, bool is_first, bool in_title);
  void weigh_terms();
  std::span<const TermId> terms_of(std::size_t candidate) const;

  std::unordered_map<std::string, TermId> ids_;
  std::vector<Term> terms_;
  std::vector<TermId> sentence_terms_;     // of all sentences, one after the other
  std::vector<std::size_t> sentence_end_;  // where each ends in sentence_terms_
  std::vector<double> factor_;             // of each sentence
};

}  // namespace maas::stm
