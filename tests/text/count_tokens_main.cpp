// For token_corpus_test.py: reads texts from the standard input, each a line with its size in bytes
// and then these bytes, and writes for each a line with its tokens in cl100k_base and o200k_base.
#include "text/token_counter.hpp"

#include <cstddef>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

int main() {
  using maas::text::Encoding;
  std::ios::sync_with_stdio(false);
  try {
    std::size_t size = 0;
    std::string text;
    while (std::cin >> size) {
      std::cin.get();
      text.resize(size);
      if (!std::cin.read(text.data(), static_cast<std::streamsize>(size))) {
        std::fputs("the input ends within a text\n", stderr);
        return 1;
      }
      std::cout << maas::text::count_tokens(text, Encoding::cl100k_base) << ' '
                << maas::text::count_tokens(text, Encoding::o200k_base) << '\n';
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
