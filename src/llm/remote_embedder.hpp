#pragma once

#include "http/client.hpp"
#include "llm/embedder.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace maas::llm {

struct RemoteEmbedderOptions {
  std::string provider = "openai";  // openai, azure_openai, cohere, huggingface, ollama
  std::string base_url = {};        // empty: the provider's own
  std::string azure_endpoint = {};
  std::string api_version = "2024-10-21";  // of azure_openai
  std::string model = "text-embedding-3-small";
  std::string key = {};           // empty: none is sent
  std::size_t max_requests = 32;  // at once; texts that come meanwhile share the next
  std::size_t dims = 1536;        // that its vectors have to have
};

// An embedder that asks a provider over HTTP. Calls that wait at the same time share requests;
// large ones are written and read on a thread of its own. Borrows the HTTP client. To be destroyed
// when the event loops no longer run, and before them. Throws Error{invalid_argument} for options
// that don't make a URL.
std::unique_ptr<Embedder> make_remote_embedder(http::Client& client, RemoteEmbedderOptions options);

}  // namespace maas::llm
