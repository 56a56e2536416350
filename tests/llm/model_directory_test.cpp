#include "llm/model_directory.hpp"

#include "core/error.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace maas::llm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizer =
    R"({"model":{"type":"WordPiece","vocab":{"[UNK]":0}},"pre_tokenizer":{"type":"BertPreTokenizer"}})";

// A directory with all that is required; each test adds what it is about.
class ModelDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    write("model.onnx", "");
    write("tokenizer.json", kTokenizer);
    write("config.json", R"({"hidden_size":384,"max_position_embeddings":512})");
  }

  void write(const char* file, std::string_view content) {
    const fs::path path = directory() / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }

  fs::path directory() const { return parent_.path() / "some-model"; }
  ModelDirectory read(const std::string& name = "") const {
    return read_model_directory(directory(), name);
  }

  std::string refusal() const {
    try {
      read();
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::unavailable);
      return error.what();
    }
  }

 private:
  test::TemporaryDirectory parent_;
};

TEST_F(ModelDirectoryTest, IsReadFromItsThreeFiles) {
  const ModelDirectory model = read();
  EXPECT_EQ(model.graph, directory() / "model.onnx");
  EXPECT_EQ(model.name, "some-model");
  EXPECT_EQ(model.space, "some-model/384");
  EXPECT_EQ(model.dims, 384U);
  EXPECT_EQ(model.max_tokens, 512U);
  EXPECT_EQ(model.pooling, Pooling::mean);
  EXPECT_EQ(model.query_prefix + model.document_prefix, "");
  EXPECT_EQ(model.tokenizer.vocabulary.size(), 1U);
}

TEST_F(ModelDirectoryTest, MayHaveItsGraphUnderOtherNames) {
  fs::remove(directory() / "model.onnx");
  for (const char* name :
       {"onnx/model_optimized.onnx", "onnx/model.onnx", "model_optimized.onnx"}) {
    write(name, "");
    EXPECT_EQ(read().graph, directory() / name);
  }
}

TEST_F(ModelDirectoryTest, NamesItsVectorsAsItIsNamed) {
  EXPECT_EQ(read("BAAI/bge-small").space, "BAAI/bge-small/384");
  write("config.json", R"({"hidden_size":384,"max_position_embeddings":512,"model":"own"})");
  EXPECT_EQ(read().space, "own");
  EXPECT_EQ(read("given").space, "given/384");
}

TEST_F(ModelDirectoryTest, TakesTheSmallestLimitOfTokens) {
  write("tokenizer_config.json", R"({"model_max_length":1000000000000000019884624838656})");
  EXPECT_EQ(read().max_tokens, 512U);
  write("tokenizer_config.json", R"({"model_max_length":300})");
  EXPECT_EQ(read().max_tokens, 300U);
  write("sentence_bert_config.json", R"({"max_seq_length":256,"do_lower_case":false})");
  EXPECT_EQ(read().max_tokens, 256U);
  write("sentence_bert_config.json", R"({"max_seq_length":null})");
  EXPECT_EQ(read().max_tokens, 300U);
}

TEST_F(ModelDirectoryTest, CountsPositionsThatNoTokenHas) {
  write("config.json", R"({"hidden_size":768,"max_position_embeddings":514,"model_type":"mpnet"})");
  EXPECT_EQ(read().max_tokens, 512U);
}

TEST_F(ModelDirectoryTest, PoolsAsItsConfigurationSays) {
  write("1_Pooling/config.json",
        R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})");
  EXPECT_EQ(read().pooling, Pooling::first_token);
  write("1_Pooling/config.json", R"({"pooling_mode":"mean"})");
  EXPECT_EQ(read("bge-small").pooling, Pooling::mean);
  for (const char* config :
       {R"({"pooling_mode_max_tokens":true})", R"({"pooling_mode":"lasttoken"})",
        R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true})"}) {
    write("1_Pooling/config.json", config);
    EXPECT_NE(refusal().find("1_Pooling/config.json"), std::string::npos) << refusal();
  }
}

TEST_F(ModelDirectoryTest, PoolsWithoutAConfigurationAsItsFamilyDoes) {
  EXPECT_EQ(read("BAAI/bge-small-en-v1.5").pooling, Pooling::first_token);
  EXPECT_EQ(read("intfloat/e5-small").pooling, Pooling::mean);
  write("config.json",
        R"({"hidden_size":384,"max_position_embeddings":512,"_name_or_path":"BAAI/bge-small"})");
  EXPECT_EQ(read().pooling, Pooling::first_token);
}

TEST_F(ModelDirectoryTest, HasPrefixesOfItsOwnOrOfItsFamily) {
  EXPECT_EQ(read("intfloat/e5-small").query_prefix, "query: ");
  EXPECT_EQ(read("intfloat/e5-small").document_prefix, "passage: ");
  write("config_sentence_transformers.json", R"({"prompts":{"query":"Q: ","passage":"P: "}})");
  EXPECT_EQ(read("intfloat/e5-small").query_prefix, "Q: ");
  EXPECT_EQ(read().document_prefix, "P: ");
  write("config_sentence_transformers.json", R"({"prompts":{"query":"","document":""}})");
  EXPECT_EQ(read().query_prefix, "");
}

TEST_F(ModelDirectoryTest, MayHavePoolingAndNormalizationAlone) {
  write("modules.json", R"([{"type":"sentence_transformers.models.Transformer"},
                            {"type":"sentence_transformers.models.Pooling"},
                            {"type":"sentence_transformers.models.Normalize"}])");
  EXPECT_EQ(refusal(), "");
  write("modules.json", R"([{"type":"sentence_transformers.models.Dense"}])");
  EXPECT_NE(refusal().find("Dense"), std::string::npos) << refusal();
}

TEST_F(ModelDirectoryTest, TellsEachFileThatItLacks) {
  fs::remove(directory() / "model.onnx");
  fs::remove(directory() / "tokenizer.json");
  const std::string said = refusal();
  EXPECT_NE(said.find(directory()), std::string::npos) << said;
  EXPECT_NE(said.find("lacks model.onnx (or model_optimized.onnx), tokenizer.json"),
            std::string::npos)
      << said;
}

TEST_F(ModelDirectoryTest, TellsWhichFileAndFieldIsWrong) {
  const auto expect = [this](const char* file, const char* content, const char* field) {
    write(file, content);
    EXPECT_NE(refusal().find(file), std::string::npos) << refusal();
    EXPECT_NE(refusal().find(field), std::string::npos) << refusal();
    fs::remove(directory() / file);
    SetUp();
  };
  expect("config.json", "{", "no JSON");
  expect("config.json", "[]", "no object");
  expect("config.json", R"({"max_position_embeddings":512})", "hidden_size");
  expect("config.json", R"({"hidden_size":"wide","max_position_embeddings":512})", "hidden_size");
  expect("config.json", R"({"hidden_size":384})", "max_position_embeddings");
  expect("tokenizer.json", R"({"model":{"type":"BPE"}})", "BPE");
  expect("tokenizer.json", "", "no JSON");
  expect("modules.json", "{}", "no list");
  expect("sentence_bert_config.json", R"({"max_seq_length":"long"})", "max_seq_length");
}

}  // namespace
}  // namespace maas::llm
