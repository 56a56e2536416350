// llm: what asks models. Knows texts and vectors, nothing of memories.
#pragma once

#include "core/task.hpp"
#include "trace/span.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::llm {

// `dims` floats, L2-normalized.
using Vector = std::vector<float>;

// Some models want to know which side of a search a text is on.
enum class TextKind { document, query };

// Turns texts into vectors whose dot product says how near their meanings are. Thread-safe.
class Embedder {
 public:
  virtual ~Embedder() = default;

  virtual std::string_view engine() const = 0;  // "local"
  // Names the vector space: vectors of different models are never compared.
  virtual std::string_view model() const = 0;
  virtual std::size_t dims() const = 0;

  // One vector for each text, in order. Every text gets one, also an empty one. Throws
  // Error{unavailable | upstream_failed | deadline_exceeded}; never gives a part. Spans of calls
  // begin below `parent`, or below that of another whose texts are embedded together with these.
  virtual Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind,
                                          trace::Parent parent = {}) = 0;

  // Why it can't serve; nullopt: it can.
  virtual Task<std::optional<std::string>> problem() = 0;
};

}  // namespace maas::llm
