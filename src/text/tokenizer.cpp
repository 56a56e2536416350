#include "text/tokenizer.hpp"

#include "text/byte_pair_merge.hpp"

#include <cstddef>

extern "C" const unsigned char maas_cl100k_base_tokens[];
extern "C" const unsigned char maas_o200k_base_tokens[];

namespace maas::text {

std::int64_t Tokenizer::count(std::string_view text) const {
  std::int64_t tokens = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = splitter.piece_end(text, start);
    tokens += count_piece_tokens(table, text.substr(start, end - start));
    start = end;
  }
  return tokens;
}

const Tokenizer& tokenizer_of(Encoding encoding) {
  if (encoding == Encoding::o200k_base) {
    static const Tokenizer o200k_base{TokenTable(maas_o200k_base_tokens),
                                      PieceSplitter(Encoding::o200k_base)};
    return o200k_base;
  }
  static const Tokenizer cl100k_base{TokenTable(maas_cl100k_base_tokens),
                                     PieceSplitter(Encoding::cl100k_base)};
  return cl100k_base;
}

}  // namespace maas::text
