#include "llm/embedding_protocol.hpp"

#include "core/error.hpp"
#include "text/token_counter.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace maas::llm {
namespace {

using Vectors = std::vector<Vector>;

std::unique_ptr<EmbeddingProtocol> protocol(const std::string& provider,
                                            const std::string& base_url = "http://host/base/") {
  RemoteEmbedderOptions options;
  options.provider = provider;
  options.base_url = base_url;
  options.model = "m 1";
  return make_embedding_protocol(options);
}

std::string wrong(const std::string& provider, std::string_view reply) {
  try {
    protocol(provider)->vectors_in(reply);
  } catch (const UnusableReply& unusable) {
    return unusable.what();
  }
  return "nothing";
}

std::string url(const std::string& provider, const std::string& base_url) {
  const std::vector<std::string> texts{"a"};
  return protocol(provider, base_url)->request(texts, TextKind::document).url;
}

TEST(EmbeddingRequest, GoesToTheProvidersOwnAddressUnlessAnotherIsGiven) {
  EXPECT_EQ(url("openai", ""), "https://api.openai.com/v1/embeddings");
  EXPECT_EQ(url("openai", "http://host/v1/"), "http://host/v1/embeddings");
  EXPECT_EQ(url("azure_openai", "http://host"),
            "http://host/openai/deployments/m%201/embeddings?api-version=2024-10-21");
  EXPECT_EQ(url("cohere", ""), "https://api.cohere.com/v2/embed");
  EXPECT_EQ(url("huggingface", ""),
            "https://router.huggingface.co/hf-inference/models/m%201/pipeline/feature-extraction");
  EXPECT_EQ(url("huggingface", "http://tei"), "http://tei/embed");
  EXPECT_EQ(url("ollama", ""), "http://localhost:11434/api/embed");
  EXPECT_THROW(protocol("acme"), Error);
  RemoteEmbedderOptions options;
  options.provider = "huggingface";
  options.model = "intfloat/e5 #1";
  const std::vector<std::string> texts{"a"};
  EXPECT_EQ(make_embedding_protocol(options)->request(texts, TextKind::query).url,
            "https://router.huggingface.co/hf-inference/models/intfloat/e5%20%231/pipeline/"
            "feature-extraction");
}

TEST(EmbeddingRequest, SaysASpaceForAnEmptyText) {
  const std::vector<std::string> texts{"", "b"};
  const std::string body = protocol("openai")->request(texts, TextKind::query).body;
  EXPECT_NE(body.find(R"("input":[" ","b"])"), std::string::npos) << body;
}

// The only text of a request that asks about `text`.
std::string sent(const std::string& provider, const std::string& text) {
  const std::vector<std::string> texts{text};
  const http::ClientRequest request = protocol(provider)->request(texts, TextKind::document);
  const boost::json::value body = boost::json::parse(request.body);
  for (const auto& field : body.as_object()) {
    if (field.key() != "embedding_types" && field.value().is_array()) {
      return std::string(field.value().as_array().at(0).as_string());
    }
  }
  return "nothing";
}

TEST(EmbeddingRequest, HoldsAsMuchOfATextAsIsRead) {
  std::string words;
  while (words.size() < 300'000) words += "word ";
  std::string accents;
  while (accents.size() < 300'000) accents += "x\u00e9\u6a21";
  for (const char* provider : {"cohere", "huggingface", "ollama"}) {
    for (const std::string& text : {words, accents}) {
      const std::string read = sent(provider, text);
      EXPECT_TRUE(text.starts_with(read)) << provider;
      EXPECT_LE(read.size(), 256u * 1024) << provider;
      EXPECT_GE(read.size(), 256u * 1024 - 2) << provider;
    }
    EXPECT_EQ(sent(provider, words.substr(0, 200'000)), words.substr(0, 200'000)) << provider;
  }
  for (const std::string& text : {words, accents}) {
    const std::string read = sent("openai", text);
    EXPECT_TRUE(text.starts_with(read));
    const std::int64_t tokens = text::count_tokens(read, text::Encoding::cl100k_base);
    EXPECT_LE(tokens, 8191);
    EXPECT_GE(tokens, 8189);
  }
  EXPECT_EQ(sent("openai", words.substr(0, 20'000)), words.substr(0, 20'000));
}

// A refusal of one text that is too long would be one of all that share the request.
TEST(EmbeddingRequest, LetsTheServerOfHuggingFaceCutWhatIsLong) {
  const std::vector<std::string> texts{"a"};
  const std::string body = protocol("huggingface")->request(texts, TextKind::query).body;
  EXPECT_EQ(body, R"({"inputs":["a"],"truncate":true})");
}

TEST(EmbeddingRequest, IsNoLargerThanTheProviderTakes) {
  EXPECT_EQ(protocol("openai")->most_texts(), 2048u);
  EXPECT_LE(protocol("openai")->most_bytes(), 300'000u)
      << "tokens of all texts, of a byte at least";
  EXPECT_EQ(protocol("cohere")->most_texts(), 96u);
  EXPECT_EQ(protocol("huggingface")->most_texts(), 32u);
  EXPECT_LE(protocol("huggingface")->most_bytes(), 2'000'000u) << "of the body";
}

TEST(EmbeddingReply, IsReadInTheFormOfEachProvider) {
  const Vectors expected{{1, .5}, {-2, 0}};
  EXPECT_EQ(protocol("openai")->vectors_in(
                R"({"data":[{"index":1,"embedding":[-2,0]},{"index":0,"embedding":[1,0.5]}]})"),
            expected);
  EXPECT_EQ(protocol("openai")->vectors_in(
                R"({"data":[{"index":0,"embedding":"AACAPwAAAD8="},
                            {"index":1,"embedding":"AAAAwAAAAAA="}]})"),
            expected);
  EXPECT_EQ(protocol("cohere")->vectors_in(R"({"embeddings":{"float":[[1,0.5],[-2,0]]}})"),
            expected);
  EXPECT_EQ(protocol("huggingface")->vectors_in("[[1,0.5],[-2,0]]"), expected);
  EXPECT_EQ(protocol("ollama")->vectors_in(R"({"embeddings":[[1,0.5],[-2,0]]})"), expected);
}

TEST(EmbeddingReply, OfTokensIsPooled) {
  Vectors pooled = protocol("huggingface")->vectors_in("[[[1,0],[3,4]],[[0,5]]]");
  check_and_normalize(pooled, 2, 2);
  EXPECT_FLOAT_EQ(pooled[0][0], static_cast<float>(std::sqrt(.5)));
  EXPECT_FLOAT_EQ(pooled[1][1], 1);
}

TEST(EmbeddingReply, SaysWhatIsWrongWithIt) {
  for (const char* provider : {"openai", "cohere", "huggingface", "ollama"}) {
    EXPECT_EQ(wrong(provider, "<html>"), "is no JSON") << provider;
    EXPECT_NE(wrong(provider, "{}"), "nothing") << provider;
    EXPECT_NE(wrong(provider, R"({"embeddings":5,"data":5})"), "nothing") << provider;
  }
  EXPECT_NE(wrong("openai", R"({"data":[{"index":0}]})").find("without"), std::string::npos);
  EXPECT_NE(wrong("openai", R"({"data":[7]})").find("without"), std::string::npos);
  for (const char* index : {"1", "-1", "\"0\""}) {
    EXPECT_NE(wrong("openai", std::string(R"({"data":[{"embedding":[1],"index":)") + index + "}]}"),
              "nothing");
  }
  EXPECT_NE(
      wrong("openai", R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})"),
      "nothing");
  for (const char* text : {"!!!!", "AACAPw", "AACAPwAA", "AAC"}) {
    EXPECT_NE(wrong("openai", std::string(R"({"data":[{"index":0,"embedding":")") + text + "\"}]}")
                  .find("base64"),
              std::string::npos)
        << text;
  }
  EXPECT_NE(wrong("ollama", R"({"embeddings":[["a"]]})").find("list of numbers"),
            std::string::npos);
  EXPECT_NE(wrong("huggingface", "[[[1,2],[1]]]").find("several dimensions"), std::string::npos);
}

std::string problem(Vectors vectors, std::size_t texts = 1, std::size_t dims = 2) {
  try {
    check_and_normalize(vectors, texts, dims);
  } catch (const UnusableReply& unusable) {
    return unusable.what();
  }
  return "nothing";
}

TEST(EmbeddingVectors, AreCheckedAndNormalized) {
  Vectors vectors{{3, 4}};
  check_and_normalize(vectors, 1, 2);
  EXPECT_FLOAT_EQ(vectors[0][0], .6f);
  EXPECT_FLOAT_EQ(vectors[0][1], .8f);
  EXPECT_EQ(problem({{1, 0}}, 2), "has 1 vectors for 2 texts");
  EXPECT_NE(problem({{1, 0, 0}}).find("3 dimensions where EMBEDDING_DIMS is 2"), std::string::npos);
  EXPECT_NE(problem({{0, 0}}).find("zeros"), std::string::npos);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_NE(problem({{1, kInfinity}}).find("not finite"), std::string::npos);
  EXPECT_NE(problem({{std::nanf(""), 1}}).find("not finite"), std::string::npos);
}

}  // namespace
}  // namespace maas::llm
