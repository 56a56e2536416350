// Byte-pair encoding of one piece of text.
#pragma once

#include "text/token_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace maas::text {

// The number of tokens of a piece, which is not empty: one if the piece is a token, else what is
// left after the neighbours of lowest rank, the first of them if there are several, have been
// merged for as long as any make a token. O(n log n).
std::int64_t count_piece_tokens(const TokenTable& table, std::string_view piece);

// The number of bytes in the first `count` tokens of the piece, or in all of them.
std::size_t first_tokens_size(const TokenTable& table, std::string_view piece, std::int64_t count);

}  // namespace maas::text
