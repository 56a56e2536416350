#include "llm/vector_base64.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace maas::llm {

static_assert(std::endian::native == std::endian::little, "base64 vectors are little-endian");

std::string to_base64(std::span<const float> vector) {
  const std::size_t bytes = vector.size_bytes();
  std::string text((bytes + 2) / 3 * 4 + 1, '\0');  // with a NUL at the end
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(vector.data()), int(bytes));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<Vector> vector_from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), int(text.size()));
  const auto padding = static_cast<int>(
      std::ranges::count(text.substr(text.size() - std::min<std::size_t>(2, text.size())), '='));
  if (length < 0 || (length - padding) % int(sizeof(float)) != 0) return std::nullopt;
  Vector vector(static_cast<std::size_t>(length - padding) / sizeof(float));
  if (!vector.empty()) std::memcpy(vector.data(), bytes.data(), vector.size() * sizeof(float));
  return vector;
}

}  // namespace maas::llm
