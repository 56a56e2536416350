// text: what can be said about text without any I/O. Pure functions, safe on all valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace maas::text {

// The byte-pair encodings of OpenAI's models, as tiktoken publishes them.
enum class Encoding { cl100k_base, o200k_base };

// The encoding of a model by its name, which may carry a provider's prefix ("openai/gpt-4o") and a
// date: o200k_base for gpt-4o, gpt-4.1, gpt-4.5, gpt-5 and the o-series, cl100k_base for gpt-4 and
// gpt-3.5 and, as the best estimate, for models of others.
Encoding encoding_of_model(std::string_view model);

// The exact number of tokens of `text`, which is valid UTF-8; special tokens such as
// "<|endoftext|>" are counted as the ordinary text they are. Thread-safe. Takes time and memory in
// proportion to the text, whatever it is (with the logarithm of its longest word).
std::int64_t count_tokens(std::string_view text, Encoding encoding);

// The longest beginning of `text`, valid UTF-8, that ends between characters as a reader sees them
// (grapheme clusters) and has at most `max_tokens` tokens. A few characters may be missing where
// the limit falls into a word or a run of symbols or spaces of more than 256 bytes. Thread-safe.
// Time is as for counting, and independent of what lies far behind the limit.
std::string_view prefix_within(std::string_view text, std::int64_t max_tokens, Encoding encoding);

}  // namespace maas::text
