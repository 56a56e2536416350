// Build-time program: token_table_generator NAME.tiktoken.gz SHA256 OUTPUT
// Turns a published list of tokens, lines of "base64 rank", into the table that token_table.hpp
// describes. SHA256 is that of the unpacked list, in lower-case hex.
#include "text/token_table.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using maas::text::hash_token;
using maas::text::TokenSlot;
using maas::text::TokenTable;
using maas::text::TokenTableHeader;

std::string unpack(const char* path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path, "rb"), gzclose);
  if (!file) throw std::runtime_error("can't open it");
  std::string unpacked;
  std::array<char, 1 << 16> block;
  int count = 0;
  while ((count = gzread(file.get(), block.data(), block.size())) > 0) {
    unpacked.append(block.data(), static_cast<std::size_t>(count));
  }
  if (count < 0) throw std::runtime_error("can't unpack it");
  return unpacked;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("can't compute the SHA-256");
  }
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    std::array<char, 3> pair;
    std::snprintf(pair.data(), pair.size(), "%02x", digest[i]);
    hex += pair.data();
  }
  return hex;
}

std::string decode_base64(std::string_view encoded) {
  std::string decoded(encoded.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                   reinterpret_cast<const unsigned char*>(encoded.data()),
                                   static_cast<int>(encoded.size()));
  if (size < 0) throw std::runtime_error("a token is not base64");
  // EVP_DecodeBlock counts the bytes that padding stands for.
  const auto padding = std::count(encoded.begin(), encoded.end(), '=');
  decoded.resize(static_cast<std::size_t>(size - padding));
  return decoded;
}

// The tokens, each at the index that is its rank.
std::vector<std::string> read_tokens(std::string_view list) {
  std::vector<std::string> tokens;
  while (!list.empty()) {
    const std::string_view line = list.substr(0, list.find('\n'));
    list.remove_prefix(std::min(line.size() + 1, list.size()));
    const auto space = line.find(' ');
    std::size_t rank = 0;
    if (space == line.npos ||
        std::from_chars(line.data() + space + 1, line.data() + line.size(), rank).ptr !=
            line.data() + line.size()) {
      throw std::runtime_error("a line is not \"base64 rank\"");
    }
    if (rank != tokens.size()) throw std::runtime_error("the ranks are not 0, 1, 2…");
    tokens.push_back(decode_base64(line.substr(0, space)));
  }
  return tokens;
}

// The tokens of each bucket, by rank.
std::vector<std::vector<std::uint32_t>> fill_buckets(const std::vector<std::uint64_t>& hashes,
                                                     const TokenTableHeader& header) {
  std::vector<std::vector<std::uint32_t>> buckets(header.bucket_count);
  for (std::uint32_t rank = 0; rank < hashes.size(); ++rank) {
    buckets[bucket_of(hashes[rank], header)].push_back(rank);
  }
  return buckets;
}

// Where each token goes, by rank, and the pilots that lead there.
struct Placement {
  std::vector<std::uint32_t> slots;
  std::vector<std::uint16_t> pilots;
};

Placement place_tokens(const std::vector<std::uint64_t>& hashes, const TokenTableHeader& header) {
  const auto buckets = fill_buckets(hashes, header);
  // Large buckets first, while there is room to choose from.
  std::vector<std::uint32_t> order(buckets.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return buckets[a].size() > buckets[b].size();
  });

  Placement placement{std::vector<std::uint32_t>(hashes.size()),
                      std::vector<std::uint16_t>(buckets.size())};
  std::vector<bool> taken(header.slot_count);
  const auto try_pilot = [&](const std::vector<std::uint32_t>& bucket, std::uint16_t pilot) {
    for (std::size_t i = 0; i < bucket.size(); ++i) {
      const std::uint32_t slot = slot_of(hashes[bucket[i]], pilot, header);
      if (taken[slot]) {
        while (i > 0) taken[placement.slots[bucket[--i]]] = false;
        return false;
      }
      taken[slot] = true;
      placement.slots[bucket[i]] = slot;
    }
    return true;
  };
  for (const std::uint32_t bucket : order) {
    std::uint16_t& pilot = placement.pilots[bucket];
    while (!try_pilot(buckets[bucket], pilot)) {
      if (++pilot == 0) throw std::runtime_error("no pilot fits: use smaller buckets");
    }
  }
  return placement;
}

template <typename T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string build_table(const std::vector<std::string>& tokens) {
  const auto token_count = static_cast<std::uint32_t>(tokens.size());
  TokenTableHeader header{.slot_count = token_count + token_count / 50,
                          .bucket_count = token_count / 4,
                          .token_count = token_count,
                          .longest = 0,
                          .padding = {}};
  std::vector<std::uint64_t> hashes;
  for (const std::string& token : tokens) hashes.push_back(hash_token(token));
  const Placement placement = place_tokens(hashes, header);

  std::vector<TokenSlot> slots(header.slot_count);
  std::string long_tokens;
  for (std::uint32_t rank = 0; rank < token_count; ++rank) {
    const std::string& token = tokens[rank];
    if (token.empty() || token.size() >> TokenSlot::kLengthBits) {
      throw std::runtime_error("a token is too long, or empty");
    }
    TokenSlot& slot = slots[placement.slots[rank]];
    slot.rank_and_length =
        rank << TokenSlot::kLengthBits | static_cast<std::uint32_t>(token.size());
    if (token.size() <= TokenSlot::kInlineBytes) {
      token.copy(slot.bytes, token.size());
    } else {
      const auto offset = static_cast<std::uint32_t>(long_tokens.size());
      std::memcpy(slot.bytes, &offset, sizeof offset);
      long_tokens += token;
    }
    header.longest = std::max(header.longest, static_cast<std::uint32_t>(token.size()));
  }
  std::string table(reinterpret_cast<const char*>(&header), sizeof header);
  table += bytes_of(slots);
  table += bytes_of(placement.pilots);
  return table + long_tokens;
}

void check_table(const std::string& bytes, const std::vector<std::string>& tokens) {
  const TokenTable table(reinterpret_cast<const unsigned char*>(bytes.data()));
  for (std::uint32_t rank = 0; rank < tokens.size(); ++rank) {
    if (table.rank(tokens[rank]) != rank) throw std::runtime_error("the table is wrong");
  }
}

void generate(const char* input, std::string_view sha256, const char* output) {
  const std::string list = unpack(input);
  if (sha256_hex(list) != sha256) throw std::runtime_error("its SHA-256 is not the expected one");
  const std::vector<std::string> tokens = read_tokens(list);
  const std::string table = build_table(tokens);
  check_table(table, tokens);
  std::ofstream file(output, std::ios::binary);
  file.write(table.data(), static_cast<std::streamsize>(table.size()));
  if (!file.flush()) throw std::runtime_error(std::string("can't write ") + output);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s NAME.tiktoken.gz SHA256 OUTPUT\n", argv[0]);
    return 2;
  }
  try {
    generate(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s: %s\n", argv[0], argv[1], error.what());
    return 1;
  }
}
