// The read-only hash table from the bytes of a token to its rank; token_tables.cmake builds and
// embeds one for each encoding.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

// Keys are a few bytes: a call would take as long as the hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace maas::text {

// A table is used as it lies in the executable, so it has this machine's byte order.
static_assert(std::endian::native == std::endian::little);

// A perfect hash ("hash and displace"): a token's hash chooses a bucket, and the pilot of the
// bucket leads each of its few tokens to a slot of its own. A search looks at one slot, whether it
// finds the token or not, and nearly all slots are filled. The header is followed by the slots, the
// pilots, and the bytes of the tokens too long for a slot.
struct TokenTableHeader {
  std::uint32_t slot_count;
  std::uint32_t bucket_count;  // of one pilot, std::uint16_t, each
  std::uint32_t token_count;   // the ranks are 0 to token_count - 1
  std::uint32_t longest;       // bytes of the longest token
  std::uint8_t padding[48];    // a slot does not straddle cache lines
};
static_assert(sizeof(TokenTableHeader) == 64);

struct TokenSlot {
  static constexpr std::size_t kInlineBytes = 12;
  static constexpr std::uint32_t kLengthBits = 8;

  std::uint32_t rank_and_length;  // an empty slot has the length zero
  // A token of at most kInlineBytes, padded with zeros; else its offset among the long tokens.
  char bytes[kInlineBytes];

  std::uint32_t rank() const { return rank_and_length >> kLengthBits; }
  std::size_t length() const { return rank_and_length & ((1u << kLengthBits) - 1); }
};
static_assert(sizeof(TokenSlot) == 16);

inline std::uint64_t hash_token(std::string_view token) {
  return XXH3_64bits(token.data(), token.size());
}

inline std::uint32_t scale_down(std::uint64_t hash, std::uint32_t count) {
  return static_cast<std::uint32_t>(((hash >> 32) * count) >> 32);
}

inline std::uint32_t bucket_of(std::uint64_t hash, const TokenTableHeader& header) {
  return scale_down(hash, header.bucket_count);
}

inline std::uint32_t slot_of(std::uint64_t hash, std::uint16_t pilot,
                             const TokenTableHeader& header) {
  // Odd numbers with evenly spread bits: the first makes of each pilot another order of the hashes,
  // the second brings what differs in the low bits up to where scale_down looks.
  const std::uint64_t displaced = (hash ^ pilot * 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93;
  return scale_down(displaced, header.slot_count);
}

// Reads a table. A view: the table's bytes outlive it.
class TokenTable {
 public:
  static constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

  explicit TokenTable(const unsigned char* table)
      : header_(reinterpret_cast<const TokenTableHeader*>(table)),
        slots_(reinterpret_cast<const TokenSlot*>(header_ + 1)),
        pilots_(reinterpret_cast<const std::uint16_t*>(slots_ + header_->slot_count)),
        long_tokens_(reinterpret_cast<const char*>(pilots_ + header_->bucket_count)) {}

  std::uint32_t token_count() const { return header_->token_count; }
  std::uint32_t longest_token() const { return header_->longest; }  // in bytes

  // The rank of the token of these bytes, at least one; kNoRank if they are none.
  std::uint32_t rank(std::string_view bytes) const {
    if (bytes.size() > header_->longest) return kNoRank;
    const std::uint64_t hash = hash_token(bytes);
    const TokenSlot& slot = slots_[slot_of(hash, pilots_[bucket_of(hash, *header_)], *header_)];
    return holds(slot, bytes) ? slot.rank() : kNoRank;
  }

 private:
  bool holds(const TokenSlot& slot, std::string_view bytes) const {
    if (slot.length() != bytes.size()) return false;
    if (bytes.size() <= TokenSlot::kInlineBytes) {
      return std::memcmp(slot.bytes, bytes.data(), bytes.size()) == 0;
    }
    std::uint32_t offset = 0;
    std::memcpy(&offset, slot.bytes, sizeof offset);
    return std::memcmp(long_tokens_ + offset, bytes.data(), bytes.size()) == 0;
  }

  const TokenTableHeader* header_;
  const TokenSlot* slots_;
  const std::uint16_t* pilots_;
  const char* long_tokens_;
};

}  // namespace maas::text
