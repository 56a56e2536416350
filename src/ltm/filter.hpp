#pragma once

#include "core/memory.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace maas::ltm {

// A condition on memories: a tree of AND, OR and NOT over comparisons of one field.
struct Filter {
  enum class Kind { all_of, any_of, none_of, compare };
  enum class Operator { eq, ne, gt, gte, lt, lte, in, nin, contains, icontains };
  enum class Field { category, created_at, updated_at, memory, metadata };

  Kind kind = Kind::all_of;        // without parts: everything matches
  std::vector<Filter> parts = {};  // of all but compare

  // Of compare:
  Field field = Field::category;
  // Of metadata: "a.b" is the value of the key "a.b", else of "b" in the object "a".
  std::string key = {};
  Operator op = Operator::eq;
  // An array for in and nin; times are integers of microseconds; a text for icontains is folded
  // (text::folded).
  boost::json::value operand = {};
};

// Whether `memory` meets `filter`. Thread-safe. The metadata are parsed once, and only if they are
// asked for.
// What isn't there equals null alone, and is neither greater nor less than anything. Values of
// different types are unequal and have no order; numbers compare by value, texts by code points,
// arrays and objects as a whole. `contains` looks for a part of a text or an element of an array;
// `icontains` the same without regard to case. `ne` and `nin` are what `eq` and `in` are not.
bool matches(const Filter& filter, const Memory& memory);

}  // namespace maas::ltm
