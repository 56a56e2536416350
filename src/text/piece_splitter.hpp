// Splits text into the pieces that an encoding turns into tokens one by one.
#pragma once

#include "text/token_counter.hpp"

#include <cstddef>
#include <string_view>

struct pcre2_real_code_8;  // PCRE2's pcre2_code

namespace maas::text {

// The compiled split pattern of an encoding. Immutable, so threads may share it.
class PieceSplitter {
 public:
  enum class Engine { jit, interpreter };

  // Where the system forbids a JIT, the interpreter finds the same pieces, several times slower.
  explicit PieceSplitter(Encoding encoding, Engine engine = Engine::jit);
  ~PieceSplitter();
  PieceSplitter(const PieceSplitter&) = delete;
  PieceSplitter& operator=(const PieceSplitter&) = delete;

  // The end of the piece that starts at `start`, which is less than the size of `text` and the end
  // of another piece or the beginning. Throws Error{internal} when PCRE2 fails.
  std::size_t piece_end(std::string_view text, std::size_t start) const;

 private:
  std::size_t match(std::string_view text, std::size_t start) const;

  pcre2_real_code_8* code_;
  Engine engine_;
};

}  // namespace maas::text
