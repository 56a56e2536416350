#include "text/byte_pair_merge.hpp"

#include "text/tokenizer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace maas::text {
namespace {

constexpr std::array kEncodings{Encoding::cl100k_base, Encoding::o200k_base};

// The tokens as the definition has them.
std::vector<std::string> merged(const TokenTable& table, std::string_view piece) {
  std::vector<std::string> tokens;
  for (const char byte : piece) tokens.emplace_back(1, byte);
  if (table.rank(piece) != TokenTable::kNoRank) return {std::string(piece)};
  for (;;) {
    std::uint32_t lowest = TokenTable::kNoRank;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const std::uint32_t rank = table.rank(tokens[i] + tokens[i + 1]);
      if (rank < lowest) {
        lowest = rank;
        at = i;
      }
    }
    if (lowest == TokenTable::kNoRank) return tokens;
    tokens[at] += tokens[at + 1];
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

void expect_tokens_by_definition(const TokenTable& table, const std::string& piece) {
  const std::vector<std::string> expected = merged(table, piece);
  EXPECT_EQ(count_piece_tokens(table, piece), static_cast<std::int64_t>(expected.size())) << piece;
  std::size_t size = 0;
  for (std::size_t count = 0; count <= expected.size(); ++count) {
    EXPECT_EQ(first_tokens_size(table, piece, static_cast<std::int64_t>(count)), size) << piece;
    if (count < expected.size()) size += expected[count].size();
  }
  EXPECT_EQ(first_tokens_size(table, piece, std::numeric_limits<std::int64_t>::max()), size);
}

TEST(BytePairMerge, MergesByDefinitionInPiecesOfAllSizes) {
  std::mt19937 random(1);
  for (const std::string_view alphabet : {"ab", "etaoinshr", " \n", "\xC3\xA4\xCC\x81", "aA(/"}) {
    for (const Encoding encoding : kEncodings) {
      const TokenTable& table = tokenizer_of(encoding).table;
      for (std::size_t size = 1; size < 130; ++size) {
        std::string piece;
        while (piece.size() < size) piece += alphabet[random() % alphabet.size()];
        expect_tokens_by_definition(table, piece);
      }
    }
  }
}

TEST(BytePairMerge, TakesNoTokensForNoBytes) {
  const TokenTable& table = tokenizer_of(Encoding::o200k_base).table;
  EXPECT_EQ(first_tokens_size(table, "word", 0), 0U);
  EXPECT_EQ(first_tokens_size(table, "word", -1), 0U);
}

TEST(TokenTable, KnowsAllBytesAndNoLongerTextsThanItsLongest) {
  for (const Encoding encoding : kEncodings) {
    const TokenTable& table = tokenizer_of(encoding).table;
    EXPECT_EQ(table.longest_token(), 128U);
    for (int byte = 0; byte < 256; ++byte) {
      EXPECT_LT(table.rank(std::string(1, static_cast<char>(byte))), 256U);
    }
    EXPECT_NE(table.rank(std::string(128, ' ')), TokenTable::kNoRank);
    EXPECT_EQ(table.rank(std::string(129, ' ')), TokenTable::kNoRank);
    EXPECT_EQ(table.rank(std::string(1000, ' ')), TokenTable::kNoRank);
    EXPECT_EQ(table.rank("no such token"), TokenTable::kNoRank);
  }
}

}  // namespace
}  // namespace maas::text
