#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace maas::fuzz {

// Ends the process, which libFuzzer reports with the input, unless `holds`.
inline void check(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline std::string_view text_of(const unsigned char* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace maas::fuzz
