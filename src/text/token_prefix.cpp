#include "text/boundaries.hpp"
#include "text/byte_pair_merge.hpp"
#include "text/token_counter.hpp"
#include "text/tokenizer.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace maas::text {
namespace {

// Where the code point begins that holds the byte at `at`.
std::size_t code_point_start(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && U8_IS_TRAIL(text[at])) --at;
  return at;
}

bool is_white_space(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size();) {
    UChar32 code_point = 0;
    U8_NEXT(piece.data(), at, piece.size(), code_point);
    if (!u_isUWhiteSpace(code_point)) return false;
  }
  return true;
}

// Finds the longest prefix of a text within a number of tokens. The tokens of a prefix need not be
// the first tokens of the text, so what is returned has been counted.
class PrefixSearch {
 public:
  PrefixSearch(std::string_view text, std::int64_t max_tokens, const Tokenizer& tokenizer)
      : text_(text), max_tokens_(max_tokens), tokenizer_(tokenizer) {}

  std::string_view run() {
    const std::size_t end = settle();
    if (!excess_) return text_;
    // Counting every candidate takes quadratic time, which a long word can't have.
    constexpr std::size_t kTryAll = 256;
    const bool try_all = end - settled_ <= kTryAll;
    std::size_t cut = try_all ? end : end_of_fitting_tokens();
    icu::BreakIterator& breaks = character_breaks(text_);
    if (!breaks.isBoundary(position(cut))) cut = boundary_before(breaks, cut);
    for (std::size_t step = 1; !fits(cut); step *= try_all ? 1 : 2) {
      cut = boundary_before(breaks, cut - std::min(step, cut) + 1);
    }
    return text_.substr(0, cut);
  }

 private:
  // The first piece that goes beyond `max_tokens_`.
  struct Excess {
    std::string_view piece;
    std::size_t start;
    std::int64_t tokens_before;
  };

  // Counts up to the excess and on to the end of the first piece there that isn't white space; no
  // prefix that reaches behind it fits. Only how white space is split depends on what follows, so
  // that up to `settled_` the pieces are those of any prefix that is longer.
  std::size_t settle() {
    std::int64_t tokens = 0;
    for (std::size_t start = 0; start < text_.size();) {
      const std::size_t end = tokenizer_.splitter.piece_end(text_, start);
      const std::string_view piece = text_.substr(start, end - start);
      const std::int64_t tokens_before = tokens;
      tokens += count_piece_tokens(tokenizer_.table, piece);
      if (!excess_ && tokens > max_tokens_) excess_ = {piece, start, tokens_before};
      if (!is_white_space(piece)) {
        if (excess_) return end;
        settled_ = end;
        settled_tokens_ = tokens;
      }
      start = end;
    }
    return text_.size();
  }

  // Merging never goes across what becomes the end of a token, so the first tokens of a piece are
  // all tokens of their bytes.
  std::size_t end_of_fitting_tokens() const {
    const std::int64_t fitting = max_tokens_ - excess_->tokens_before;
    const std::size_t size = first_tokens_size(tokenizer_.table, excess_->piece, fitting);
    return code_point_start(text_, excess_->start + size);
  }

  bool fits(std::size_t cut) const {
    if (cut < settled_) return tokenizer_.count(text_.substr(0, cut)) <= max_tokens_;
    const std::string_view tail = text_.substr(settled_, cut - settled_);
    return settled_tokens_ + tokenizer_.count(tail) <= max_tokens_;
  }

  static std::int32_t position(std::size_t offset) { return static_cast<std::int32_t>(offset); }
  static std::size_t boundary_before(icu::BreakIterator& breaks, std::size_t offset) {
    return static_cast<std::size_t>(breaks.preceding(position(offset)));
  }

  std::string_view text_;
  std::int64_t max_tokens_;
  const Tokenizer& tokenizer_;
  std::size_t settled_ = 0;
  std::int64_t settled_tokens_ = 0;
  std::optional<Excess> excess_;
};

// As much of `text` as can matter for a prefix of `max_tokens`: its bytes, and the code point
// behind, which tells whether a character ends there. Less than 2 GiB, as ICU's positions are.
std::string_view within_reach(std::string_view text, std::int64_t max_tokens,
                              const TokenTable& table) {
  constexpr std::int64_t kLongestCodePoint = 4;
  const std::int64_t longest_token = table.longest_token();
  const std::int64_t limit = std::numeric_limits<std::int32_t>::max() - kLongestCodePoint;
  const std::int64_t reach =
      std::min(max_tokens, limit / longest_token) * longest_token + kLongestCodePoint;
  return text.substr(0, code_point_start(text, static_cast<std::size_t>(reach)));
}

}  // namespace

std::string_view prefix_within(std::string_view text, std::int64_t max_tokens, Encoding encoding) {
  if (max_tokens <= 0) return text.substr(0, 0);
  const Tokenizer& tokenizer = tokenizer_of(encoding);
  return PrefixSearch(within_reach(text, max_tokens, tokenizer.table), max_tokens, tokenizer).run();
}

}  // namespace maas::text
