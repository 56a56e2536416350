#include "text/folding.hpp"

#include "text/boundaries.hpp"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

namespace maas::text {

std::string folded(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* casefold = icu::Normalizer2::getNFKCCasefoldInstance(status);
  check_icu(status, "NFKC case folding");
  std::string result;
  icu::StringByteSink<std::string> sink(&result, static_cast<std::int32_t>(text.size()));
  casefold->normalizeUTF8(0, {text.data(), static_cast<std::int32_t>(text.size())}, sink, nullptr,
                          status);
  check_icu(status, "NFKC case folding");
  return result;
}

std::string folded_line(std::string_view text) {
  const std::string all = folded(text);
  std::string line;
  line.reserve(all.size());
  const auto size = static_cast<std::int32_t>(all.size());
  bool space_before = false;
  for (std::int32_t at = 0; at < size;) {
    const std::int32_t begin = at;
    UChar32 character = 0;
    U8_NEXT(all.data(), at, size, character);
    if (u_isUWhiteSpace(character)) {
      space_before = !line.empty();
      continue;
    }
    if (space_before) line += ' ';
    space_before = false;
    line.append(all, static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin));
  }
  return line;
}

std::string digest(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return {reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest};
}

}  // namespace maas::text
