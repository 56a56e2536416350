// What providers of embeddings answer: whatever is taken from a reply is vectors as they have to
// be. The first byte chooses the protocol, the rest is the reply.
#include "fuzz/check.hpp"
#include "llm/embedding_protocol.hpp"

#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <string_view>

namespace maas::fuzz {
namespace {

constexpr std::size_t kTexts = 2;  // that were sent
constexpr std::size_t kDims = 3;
constexpr std::array<const char*, 5> kProviders = {"openai", "azure_openai", "cohere",
                                                   "huggingface", "ollama"};

const llm::EmbeddingProtocol& protocol(std::size_t chosen) {
  static const auto protocols = [] {
    std::array<std::unique_ptr<llm::EmbeddingProtocol>, kProviders.size()> made;
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = llm::make_embedding_protocol({.provider = kProviders[i],
                                              .azure_endpoint = "http://127.0.0.1",
                                              .model = "model",
                                              .dims = kDims});
    }
    return made;
  }();
  return *protocols[chosen % protocols.size()];
}

void check_reply(const llm::EmbeddingProtocol& asked, std::string_view reply) {
  try {
    std::vector<llm::Vector> vectors = asked.vectors_in(reply);
    llm::check_and_normalize(vectors, kTexts, kDims);
    check(vectors.size() == kTexts, "each text has a vector");
    for (const llm::Vector& vector : vectors) {
      check(vector.size() == kDims, "a vector has its dimensions");
      const float square = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F);
      check(std::abs(square - 1) < 1e-3F, "a vector has the length of one");
    }
  } catch (const llm::UnusableReply& unusable) {
    check(*unusable.what() != 0, "it is told what a reply lacks");
  }
}

}  // namespace
}  // namespace maas::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view reply(reinterpret_cast<const char*>(data) + 1, size - 1);
  maas::fuzz::check_reply(maas::fuzz::protocol(*data), reply);
  return 0;
}
