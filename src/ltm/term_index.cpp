#include "ltm/term_index.hpp"

#include <cstring>

namespace maas::ltm {

PostingList::PostingList(PostingList&& other) noexcept { *this = std::move(other); }

PostingList& PostingList::operator=(PostingList&& other) noexcept {
  if (this == &other) return *this;
  if (!inline_()) delete[] heap_;
  if (other.inline_()) {
    std::copy_n(other.here_, other.size_, here_);
  } else {
    heap_ = other.heap_;
  }
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, kInline);
  return *this;
}

PostingList::~PostingList() {
  if (!inline_()) delete[] heap_;
}

void PostingList::reserve(std::uint32_t capacity) {
  auto* grown = new Posting[capacity];
  std::copy_n(data(), size_, grown);
  if (!inline_()) delete[] heap_;
  heap_ = grown;
  capacity_ = capacity;
}

void PostingList::add(Posting posting) {
  if (size_ == capacity_) reserve(capacity_ + std::max(2u, capacity_ / 4));
  Posting* const begin = data();
  // Memories mostly come in the order of their slots.
  Posting* at = begin + size_;
  if (size_ > 0 && begin[size_ - 1].slot() > posting.slot()) {
    at = std::ranges::lower_bound(begin, begin + size_, posting.slot(), {}, &Posting::slot);
    std::copy_backward(at, begin + size_, begin + size_ + 1);
  }
  *at = posting;
  ++size_;
}

void PostingList::remove(Slot slot) {
  Posting* const begin = data();
  Posting* const at = std::ranges::lower_bound(begin, begin + size_, slot, {}, &Posting::slot);
  if (at == begin + size_ || at->slot() != slot) return;
  std::copy(at + 1, begin + size_, at);
  --size_;
}

void TermIndex::add(Slot slot, std::span<const text::TermCount> terms) {
  for (const auto& [term, count] : terms) {
    PostingList& list = lists_[term];
    heap_bytes_ -= list.heap_bytes();
    list.add({slot, count});
    heap_bytes_ += list.heap_bytes();
  }
}

void TermIndex::remove(Slot slot, std::span<const text::TermCount> terms) {
  for (const auto& [term, count] : terms) {
    const auto found = lists_.find(term);
    if (found == lists_.end()) continue;
    found->second.remove(slot);
    if (!found->second.postings().empty()) continue;
    heap_bytes_ -= found->second.heap_bytes();
    lists_.erase(found);
  }
}

std::span<const Posting> TermIndex::find(text::Term term) const {
  const auto found = lists_.find(term);
  if (found == lists_.end()) return {};
  return found->second.postings();
}

bool TermIndex::holds(text::Term term, Slot slot) const {
  const auto postings = find(term);
  const auto at = std::ranges::lower_bound(postings, slot, {}, &Posting::slot);
  return at != postings.end() && at->slot() == slot;
}

std::size_t TermIndex::bytes() const {
  constexpr std::size_t kEntry = sizeof(text::Term) + sizeof(PostingList) + 1;
  return heap_bytes_ + lists_.bucket_count() * kEntry;
}

}  // namespace maas::ltm
