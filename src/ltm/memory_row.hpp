#pragma once

#include "core/memory.hpp"
#include "llm/embedder.hpp"

#include <cstddef>
#include <string>

namespace maas::ltm {

// The vectors that can be compared: those of one model. Others are read as absent.
struct VectorSpace {
  std::string model;  // empty: none are kept
  std::size_t dims = 0;
};

struct MemoryRow {
  Memory memory;
  llm::Vector vector;  // empty: none, or of another vector space
};

}  // namespace maas::ltm
