#include "llm/embedding_protocol.hpp"

#include "core/error.hpp"
#include "http/url.hpp"
#include "llm/model_families.hpp"
#include "llm/vector_base64.hpp"
#include "text/token_counter.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace maas::llm {
namespace {

namespace json = boost::json;

std::string base_of(const RemoteEmbedderOptions& options, std::string_view own) {
  return options.base_url.empty() ? std::string(own) : http::without_final_slash(options.base_url);
}

http::ClientRequest post(std::string url, const json::object& body) {
  http::ClientRequest request;
  request.url = std::move(url);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json::serialize(body);
  return request;
}

void authorize(http::ClientRequest& request, const std::string& key) {
  if (!key.empty()) request.headers.emplace_back("Authorization", "Bearer " + key);
}

// Bytes past which no text is sent: some models read less, and none says more of a text by then.
constexpr std::size_t kLongestText = 256 * 1024;

// Of a request's texts where the provider names no limit of its own. Servers limit bodies: that of
// Text Embeddings Inference to 2 MB, of which escapes may take half.
constexpr std::size_t kMostBytes = 1'000'000;

// The beginning of `text`, which is valid UTF-8, up to the end of a character.
std::string_view beginning(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && (text[max_bytes] & 0xC0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

std::string sent_text(std::string_view prefix, std::string_view text) {
  // Some providers refuse an empty text; a space says as little.
  if (text.empty() && prefix.empty()) return " ";
  std::string sent(prefix);
  sent += beginning(text, kLongestText);
  return sent;
}

json::array array_of(std::span<const std::string> texts, std::string_view model, TextKind kind) {
  const std::string_view prefix = prefix_of(model, kind);
  json::array array;
  array.reserve(texts.size());
  for (const std::string& text : texts) array.emplace_back(sent_text(prefix, text));
  return array;
}

json::value parsed(std::string_view reply) {
  boost::system::error_code error;
  json::value value = json::parse(reply, error);
  if (error) throw UnusableReply("is no JSON");
  return value;
}

const json::array& list_in(const json::value& value, std::string_view name) {
  const json::value* list = value.is_object() ? value.get_object().if_contains(name) : nullptr;
  if (!list || !list->is_array()) throw UnusableReply("has no list \"" + std::string(name) + "\"");
  return list->get_array();
}

Vector numbers_in(const json::value& value) {
  if (!value.is_array()) throw UnusableReply("has a vector that is no list of numbers");
  Vector vector;
  vector.reserve(value.get_array().size());
  for (const json::value& number : value.get_array()) {
    if (!number.is_number()) throw UnusableReply("has a vector that is no list of numbers");
    vector.push_back(number.to_number<float>());
  }
  return vector;
}

Vector base64_floats(std::string_view text) {
  auto vector = vector_from_base64(text);
  if (!vector) throw UnusableReply("has a vector that is no base64 of floats");
  return *std::move(vector);
}

std::vector<Vector> vectors_of(const json::array& list) {
  std::vector<Vector> vectors;
  vectors.reserve(list.size());
  for (const json::value& each : list) vectors.push_back(numbers_in(each));
  return vectors;
}

// openai, azure_openai. It refuses a request for one text that is too long, so texts are cut to
// what its models read. A token takes a byte at least, which bounds the tokens of all texts.
class OpenAiProtocol final : public EmbeddingProtocol {
 public:
  explicit OpenAiProtocol(const RemoteEmbedderOptions& options) : options_(options) {
    if (options.provider == "azure_openai") {
      url_ = base_of(options, http::without_final_slash(options.azure_endpoint)) +
             "/openai/deployments/" + http::percent_encode(options.model) +
             "/embeddings?api-version=" + http::percent_encode(options.api_version);
    } else {
      url_ = base_of(options, "https://api.openai.com/v1") + "/embeddings";
    }
  }

  std::size_t most_texts() const override { return 2048; }
  std::size_t most_bytes() const override { return 300'000; }

  http::ClientRequest request(std::span<const std::string> texts, TextKind kind) const override {
    json::object body{
        {"model", options_.model}, {"input", input(texts, kind)}, {"encoding_format", "base64"}};
    // Older models refuse it.
    if (options_.model.find("text-embedding-3") != std::string::npos) {
      body["dimensions"] = options_.dims;
    }
    http::ClientRequest made = post(url_, body);
    if (options_.provider != "azure_openai") {
      authorize(made, options_.key);
    } else if (!options_.key.empty()) {
      made.headers.emplace_back("api-key", options_.key);
    }
    return made;
  }

  std::vector<Vector> vectors_in(std::string_view reply) const override {
    const json::value value = parsed(reply);
    const json::array& list = list_in(value, "data");
    std::vector<Vector> vectors(list.size());
    for (const json::value& entry : list) {
      const json::object* fields = entry.if_object();
      const json::value* index = fields ? fields->if_contains("index") : nullptr;
      const json::value* embedding = fields ? fields->if_contains("embedding") : nullptr;
      if (!index || !index->is_int64() || !embedding) {
        throw UnusableReply("has an entry without index or embedding");
      }
      const auto at = static_cast<std::size_t>(index->get_int64());
      if (index->get_int64() < 0 || at >= vectors.size() || !vectors[at].empty()) {
        throw UnusableReply("has an index twice or out of range");
      }
      vectors[at] =
          embedding->is_string() ? base64_floats(embedding->get_string()) : numbers_in(*embedding);
    }
    return vectors;
  }

 private:
  static constexpr std::int64_t kMostTokens = 8191;    // of a text
  static constexpr std::size_t kMostCounted = 40'960;  // bytes, which as many tokens hardly take

  static std::string_view readable(std::string_view text) {
    if (text.size() <= static_cast<std::size_t>(kMostTokens)) return text;  // nor more tokens
    return text::prefix_within(beginning(text, kMostCounted), kMostTokens,
                               text::Encoding::cl100k_base);
  }

  json::array input(std::span<const std::string> texts, TextKind kind) const {
    const std::string_view prefix = prefix_of(options_.model, kind);
    json::array array;
    array.reserve(texts.size());
    for (const std::string& text : texts) {
      const std::string whole = sent_text(prefix, text);
      const std::string_view read = readable(whole);
      array.emplace_back(read.empty() ? " " : read);  // one endless character
    }
    return array;
  }

  RemoteEmbedderOptions options_;
  std::string url_;
};

class CohereProtocol final : public EmbeddingProtocol {
 public:
  explicit CohereProtocol(const RemoteEmbedderOptions& options) : options_(options) {}

  std::size_t most_texts() const override { return 96; }
  std::size_t most_bytes() const override { return kMostBytes; }

  http::ClientRequest request(std::span<const std::string> texts, TextKind kind) const override {
    const std::string_view type = kind == TextKind::query ? "search_query" : "search_document";
    json::object body{{"model", options_.model},
                      {"texts", array_of(texts, {}, kind)},
                      {"input_type", type},
                      {"embedding_types", json::array{"float"}}};
    // Models before embed-v4 have one size.
    if (options_.model.starts_with("embed-v4")) body["output_dimension"] = options_.dims;
    http::ClientRequest made =
        post(base_of(options_, "https://api.cohere.com") + "/v2/embed", body);
    authorize(made, options_.key);
    return made;
  }

  std::vector<Vector> vectors_in(std::string_view reply) const override {
    const json::value value = parsed(reply);
    const json::value* embeddings =
        value.is_object() ? value.get_object().if_contains("embeddings") : nullptr;
    if (!embeddings) throw UnusableReply("has no \"embeddings\"");
    return vectors_of(list_in(*embeddings, "float"));
  }

 private:
  RemoteEmbedderOptions options_;
};

// The mean of the vectors of a text's tokens.
Vector mean_of(const json::array& tokens) {
  Vector mean = tokens.empty() ? Vector() : numbers_in(tokens.front());
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const Vector token = numbers_in(tokens[i]);
    if (token.size() != mean.size()) throw UnusableReply("has tokens of several dimensions");
    for (std::size_t at = 0; at < mean.size(); ++at) mean[at] += token[at];
  }
  return mean;  // a sum: it is normalized as all are
}

// Hugging Face Inference, or with a base URL a Text Embeddings Inference server.
class HuggingFaceProtocol final : public EmbeddingProtocol {
 public:
  explicit HuggingFaceProtocol(const RemoteEmbedderOptions& options) : options_(options) {}

  std::size_t most_texts() const override { return 32; }  // the server's default
  std::size_t most_bytes() const override { return kMostBytes; }

  http::ClientRequest request(std::span<const std::string> texts, TextKind kind) const override {
    // Else one text that is longer than the model reads is a refusal of all.
    json::object body{{"inputs", array_of(texts, options_.model, kind)}, {"truncate", true}};
    std::string url = http::without_final_slash(options_.base_url) + "/embed";
    if (options_.base_url.empty()) {
      body["normalize"] = true;
      url = "https://router.huggingface.co/hf-inference/models/" + model_path() +
            "/pipeline/feature-extraction";
    }
    http::ClientRequest made = post(std::move(url), body);
    authorize(made, options_.key);
    return made;
  }

  std::vector<Vector> vectors_in(std::string_view reply) const override {
    const json::value value = parsed(reply);
    if (!value.is_array()) throw UnusableReply("is no list of vectors");
    std::vector<Vector> vectors;
    for (const json::value& each : value.get_array()) {
      const json::array* list = each.if_array();
      const bool of_tokens = list && !list->empty() && list->front().is_array();
      vectors.push_back(of_tokens ? mean_of(*list) : numbers_in(each));
    }
    return vectors;
  }

 private:
  // "owner/name": its parts are parts of the path.
  std::string model_path() const {
    const std::size_t slash = options_.model.find('/');
    if (slash == options_.model.npos) return http::percent_encode(options_.model);
    return http::percent_encode(options_.model.substr(0, slash)) + "/" +
           http::percent_encode(options_.model.substr(slash + 1));
  }

  RemoteEmbedderOptions options_;
};

class OllamaProtocol final : public EmbeddingProtocol {
 public:
  explicit OllamaProtocol(const RemoteEmbedderOptions& options) : options_(options) {}

  std::size_t most_texts() const override { return 512; }
  std::size_t most_bytes() const override { return kMostBytes; }

  http::ClientRequest request(std::span<const std::string> texts, TextKind kind) const override {
    http::ClientRequest made =
        post(base_of(options_, "http://localhost:11434") + "/api/embed",
             {{"model", options_.model}, {"input", array_of(texts, options_.model, kind)}});
    authorize(made, options_.key);  // for one behind a proxy
    return made;
  }

  std::vector<Vector> vectors_in(std::string_view reply) const override {
    const json::value value = parsed(reply);
    return vectors_of(list_in(value, "embeddings"));
  }

 private:
  RemoteEmbedderOptions options_;
};

}  // namespace

std::unique_ptr<EmbeddingProtocol> make_embedding_protocol(const RemoteEmbedderOptions& options) {
  if (options.provider == "openai" || options.provider == "azure_openai") {
    return std::make_unique<OpenAiProtocol>(options);
  }
  if (options.provider == "cohere") return std::make_unique<CohereProtocol>(options);
  if (options.provider == "huggingface") return std::make_unique<HuggingFaceProtocol>(options);
  if (options.provider == "ollama") return std::make_unique<OllamaProtocol>(options);
  throw Error(Errc::invalid_argument, "EMBEDDING_PROVIDER " + options.provider + " is not known");
}

void check_and_normalize(std::vector<Vector>& vectors, std::size_t texts, std::size_t dims) {
  if (vectors.size() != texts) {
    throw UnusableReply("has " + std::to_string(vectors.size()) + " vectors for " +
                        std::to_string(texts) + " texts");
  }
  for (Vector& vector : vectors) {
    if (vector.size() != dims) {
      throw UnusableReply("has vectors of " + std::to_string(vector.size()) +
                          " dimensions where EMBEDDING_DIMS is " + std::to_string(dims) +
                          "; set that to what the model gives");
    }
    double squares = 0;
    for (const float each : vector) squares += double(each) * each;
    if (!std::isfinite(squares))
      throw UnusableReply("has a vector with a number that is not finite");
    if (squares == 0) throw UnusableReply("has a vector of zeros");
    const auto factor = static_cast<float>(1 / std::sqrt(squares));
    for (float& each : vector) each *= factor;
  }
}

}  // namespace maas::llm
