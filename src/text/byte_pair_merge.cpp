#include "text/byte_pair_merge.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace maas::text {
namespace {

// Up to here rescanning all ranks after each merge is faster than a heap.
constexpr std::size_t kShortPiece = 96;

// A token so far, and the rank of what it and the next make together.
struct Part {
  std::uint32_t start;
  std::uint32_t rank;
};

// Merges within `parts`, which has room for all bytes of `piece` and one more; returns the number
// of tokens. Quadratic.
std::size_t merge_short(const TokenTable& table, std::string_view piece, Part* parts) {
  const auto rank_at = [&](std::size_t part, std::size_t end) {
    return table.rank(piece.substr(parts[part].start, parts[end].start - parts[part].start));
  };
  std::size_t count = piece.size();
  for (std::uint32_t i = 0; i <= count; ++i) parts[i] = {i, TokenTable::kNoRank};
  for (std::size_t i = 0; i + 1 < count; ++i) parts[i].rank = rank_at(i, i + 2);
  while (count > 1) {
    const Part* lowest = std::min_element(
        parts, parts + count - 1, [](const Part& a, const Part& b) { return a.rank < b.rank; });
    if (lowest->rank == TokenTable::kNoRank) break;
    const auto merged = static_cast<std::size_t>(lowest - parts);
    std::copy(parts + merged + 2, parts + count + 1, parts + merged + 1);
    --count;
    parts[merged].rank = merged + 1 < count ? rank_at(merged, merged + 2) : TokenTable::kNoRank;
    if (merged > 0) parts[merged - 1].rank = rank_at(merged - 1, merged + 1);
  }
  return count;
}

// Merges a piece of any length: a list of tokens, linked by where they start, and the pairs that
// may be merged in the order of merging.
class LongMerge {
 public:
  LongMerge(const TokenTable& table, std::string_view piece)
      : table_(table), piece_(piece), size_(static_cast<std::uint32_t>(piece.size())) {
    if (piece.size() >= kNone) {
      throw Error(Errc::too_large, "The text has a word of 4 GiB; put spaces in it.");
    }
    links_.reserve(size_);
    for (std::uint32_t i = 0; i < size_; ++i) {
      const std::uint32_t rank = i + 1 < size_ ? table_.rank(piece_.substr(i, 2)) : kNone;
      links_.push_back({.previous = i - 1, .next = i + 1, .rank = rank});
      if (rank != kNone) byte_pairs_.push_back(pair(rank, i));
    }
    std::ranges::sort(byte_pairs_, std::greater<>());
    merge();
  }

  std::vector<std::uint32_t> token_starts() const {
    std::vector<std::uint32_t> starts;
    for (std::uint32_t start = 0; start < size_; start = links_[start].next) {
      starts.push_back(start);
    }
    return starts;
  }

 private:
  static constexpr std::uint32_t kNone = TokenTable::kNoRank;

  struct Link {
    std::uint32_t previous;  // where the token before starts
    std::uint32_t next;      // where the token behind starts, or the end
    std::uint32_t rank;      // of both together, this and the next; kNone too for what is no start
  };
  // Rank first, then position, so that the smallest is the pair to merge.
  static std::uint64_t pair(std::uint32_t rank, std::uint32_t start) {
    return std::uint64_t{rank} << 32 | start;
  }

  void merge() {
    while (!byte_pairs_.empty() || !longer_pairs_.empty()) {
      const std::uint64_t first = take_first();
      const auto start = static_cast<std::uint32_t>(first);
      const auto rank = static_cast<std::uint32_t>(first >> 32);
      // There are still pairs of which one has been merged otherwise. A token only grows, so if the
      // rank is the same, it is the same pair.
      if (links_[start].rank != rank) continue;
      const std::uint32_t merged = links_[start].next;
      const std::uint32_t next = links_[merged].next;
      links_[merged].rank = kNone;
      links_[start].next = next;
      if (next < size_) links_[next].previous = start;
      update(start);
      if (start > 0) update(links_[start].previous);
    }
  }

  std::uint64_t take_first() {
    if (longer_pairs_.empty() ||
        (!byte_pairs_.empty() && byte_pairs_.back() < longer_pairs_.top())) {
      const std::uint64_t first = byte_pairs_.back();
      byte_pairs_.pop_back();
      return first;
    }
    const std::uint64_t first = longer_pairs_.top();
    longer_pairs_.pop();
    return first;
  }

  void update(std::uint32_t start) {
    Link& link = links_[start];
    link.rank = kNone;
    if (link.next >= size_) return;
    link.rank = table_.rank(piece_.substr(start, links_[link.next].next - start));
    if (link.rank != kNone) longer_pairs_.push(pair(link.rank, start));
  }

  const TokenTable& table_;
  std::string_view piece_;
  std::uint32_t size_;
  std::vector<Link> links_;
  // The pairs of bytes are most of all: sorted once, the first last, faster than in a heap.
  std::vector<std::uint64_t> byte_pairs_;
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> longer_pairs_;
};

}  // namespace

std::int64_t count_piece_tokens(const TokenTable& table, std::string_view piece) {
  if (table.rank(piece) != TokenTable::kNoRank) return 1;
  if (piece.size() <= kShortPiece) {
    std::array<Part, kShortPiece + 1> parts;
    return static_cast<std::int64_t>(merge_short(table, piece, parts.data()));
  }
  return static_cast<std::int64_t>(LongMerge(table, piece).token_starts().size());
}

std::size_t first_tokens_size(const TokenTable& table, std::string_view piece, std::int64_t count) {
  if (count <= 0) return 0;
  if (table.rank(piece) != TokenTable::kNoRank) return piece.size();
  const std::vector<std::uint32_t> starts = LongMerge(table, piece).token_starts();
  const auto following = static_cast<std::size_t>(count);
  return following < starts.size() ? starts[following] : piece.size();
}

}  // namespace maas::text
