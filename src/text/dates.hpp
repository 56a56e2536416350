// Used by text/ alone: dates in the words of a text.
#pragma once

#include "text/time_expressions.hpp"
#include "text/words.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace maas::text {

// The words of a text, and what stands between them.
class WordSequence {
 public:
  WordSequence(std::string_view text, std::span<const Word> words) : text_(text), words_(words) {}

  std::size_t size() const { return words_.size(); }
  const Word& operator[](std::size_t i) const { return words_[i]; }

  // The folded word without what follows an apostrophe; empty behind the last word, and before the
  // first if `i` is -1.
  std::string_view at(std::size_t i) const;

  // The text between words i and i + 1, or behind the last one.
  std::string_view gap(std::size_t i) const;

 private:
  std::string_view text_;
  std::span<const Word> words_;
};

struct DateAt {
  std::optional<NamedDate> date;  // nullopt: a day that doesn't exist, or one of several
  std::size_t end = 0;            // the first word behind it
};

// What is written like a date and begins with word `i`.
std::optional<DateAt> date_at(const WordSequence& words, std::size_t i);

// Whether word `i` is a year of our time, 1900 to 2099.
bool is_year(const WordSequence& words, std::size_t i);

}  // namespace maas::text
