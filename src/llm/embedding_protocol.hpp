#pragma once

#include "http/client_types.hpp"
#include "llm/embedder.hpp"
#include "llm/remote_embedder.hpp"
#include "llm/upstream_errors.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::llm {

// How one provider is asked for embeddings. Pure.
class EmbeddingProtocol {
 public:
  virtual ~EmbeddingProtocol() = default;

  // Texts that one request may hold, and bytes of them together; a longer one goes alone.
  virtual std::size_t most_texts() const = 0;
  virtual std::size_t most_bytes() const = 0;

  // A text that is longer than the provider takes counts with its beginning.
  virtual http::ClientRequest request(std::span<const std::string> texts, TextKind kind) const = 0;

  // The vectors in a reply of success, in the order of the texts, as they came. Throws
  // UnusableReply, a clause that says what is wrong.
  virtual std::vector<Vector> vectors_in(std::string_view reply) const = 0;
};

// Throws Error{invalid_argument} for options that don't make a URL.
std::unique_ptr<EmbeddingProtocol> make_embedding_protocol(const RemoteEmbedderOptions& options);

// Vectors of `dims` numbers for `texts` texts, each L2-normalized. Throws UnusableReply that says
// what is wrong with them.
void check_and_normalize(std::vector<Vector>& vectors, std::size_t texts, std::size_t dims);

}  // namespace maas::llm
