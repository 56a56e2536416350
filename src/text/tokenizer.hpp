// Used by text/ alone: the parts that count tokens of one encoding.
#pragma once

#include "text/piece_splitter.hpp"
#include "text/token_counter.hpp"
#include "text/token_table.hpp"

#include <cstdint>
#include <string_view>

namespace maas::text {

struct Tokenizer {
  TokenTable table;
  PieceSplitter splitter;

  std::int64_t count(std::string_view text) const;
};

// Made at the first call, which takes milliseconds to compile the pattern; lives until the end.
const Tokenizer& tokenizer_of(Encoding encoding);

}  // namespace maas::text
