#pragma once

#include "text/analysis.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace maas::ltm {

// The place of a memory in a partition. A place is reused once its memory is gone.
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = UINT32_MAX;

// One memory that holds a term, and how often, in four bytes: 24 bits of slot, 8 of count. More
// than 255 times is as good as 255: BM25 is flat there.
class Posting {
 public:
  static constexpr Slot kMaxSlot = (1u << 24) - 1;
  static constexpr std::uint32_t kMaxCount = 255;

  Posting() = default;
  Posting(Slot slot, std::uint32_t count) : bits_(slot << 8 | std::min(count, kMaxCount)) {}
  Slot slot() const { return bits_ >> 8; }
  std::uint32_t count() const { return bits_ & kMaxCount; }

 private:
  std::uint32_t bits_;
};

// The postings of one term in order of their slots. Most terms are rare: two postings need no
// memory of their own.
class PostingList {
 public:
  PostingList() = default;
  PostingList(PostingList&& other) noexcept;
  PostingList& operator=(PostingList&& other) noexcept;
  ~PostingList();

  void add(Posting posting);
  void remove(Slot slot);
  std::span<const Posting> postings() const { return {data(), size_}; }
  std::size_t heap_bytes() const { return inline_() ? 0 : capacity_ * sizeof(Posting); }

 private:
  static constexpr std::uint32_t kInline = 2;
  bool inline_() const { return capacity_ == kInline; }
  Posting* data() { return inline_() ? here_ : heap_; }
  const Posting* data() const { return inline_() ? here_ : heap_; }
  void reserve(std::uint32_t capacity);

  union {
    Posting here_[kInline];
    Posting* heap_;
  };
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = kInline;
};

// Which memories hold which terms.
class TermIndex {
 public:
  void add(Slot slot, std::span<const text::TermCount> terms);
  // `terms` are those that were added.
  void remove(Slot slot, std::span<const text::TermCount> terms);

  // Empty for a term that no memory holds.
  std::span<const Posting> find(text::Term term) const;
  bool holds(text::Term term, Slot slot) const;

  std::size_t bytes() const;

 private:
  // Terms are hashes already.
  struct AsItIs {
    using is_avalanching = void;
    std::size_t operator()(text::Term term) const { return term; }
  };
  boost::unordered_flat_map<text::Term, PostingList, AsItIs> lists_;
  std::size_t heap_bytes_ = 0;
};

}  // namespace maas::ltm
