#pragma once

#include "core/error.hpp"
#include "llm/embedder.hpp"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace maas::test {

// Texts that share words are near: a word's hash names the dimension that it counts in. Keeps what
// it was asked, call by call. Not for several threads at once.
class HashEmbedder final : public llm::Embedder {
 public:
  struct Call {
    std::vector<std::string> texts;
    llm::TextKind kind;
    bool operator==(const Call&) const = default;
  };

  std::string_view engine() const override { return "hash"; }
  std::string_view model() const override { return "hash-32"; }
  std::size_t dims() const override { return 32; }
  Task<std::optional<std::string>> problem() override { co_return std::nullopt; }

  Task<std::vector<llm::Vector>> embed(std::span<const std::string> texts, llm::TextKind kind,
                                       trace::Parent) override {
    calls.push_back({{texts.begin(), texts.end()}, kind});
    if (fails) throw Error(Errc::unavailable, "the embedder is away");
    std::vector<llm::Vector> vectors;
    for (const std::string& text : texts) vectors.push_back(vector_of(text));
    co_return vectors;
  }

  llm::Vector vector_of(std::string_view text) const {
    llm::Vector vector(dims());
    vector[0] = 1;  // an empty text has a direction, too
    while (!text.empty()) {
      const std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(std::min(word.size() + 1, text.size()));
      vector[std::hash<std::string_view>()(word) % dims()] += 1;
    }
    float squares = 0;
    for (const float x : vector) squares += x * x;
    for (float& x : vector) x /= std::sqrt(squares);
    return vector;
  }

  std::vector<Call> calls;
  bool fails = false;
};

}  // namespace maas::test
