#include "llm/local_embedder.hpp"

#include "core/error.hpp"
#include "support/run_task.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <numeric>

namespace maas::llm {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> model_directory() {
  const char* path = std::getenv("MAAS_TEST_MODEL_DIR");
  if (path == nullptr || *path == '\0') return std::nullopt;
  return path;
}

constexpr const char* kRemedy = "Get another model";

// What making an embedder of a directory, or else its first call, says; "" if both work.
std::string refusal(const LocalModelOptions& options) {
  test::RunningLoops running;
  const std::vector<std::string> texts(1, "a");
  try {
    const auto embedder = make_local_embedder(options);
    running.run(embedder->embed(texts, TextKind::document));
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable);
    EXPECT_NE(std::string_view(error.what()).find(kRemedy), std::string_view::npos) << error.what();
    return error.what();
  }
}

TEST(LocalEmbedder, ForbidsTheRuntimeToReportItsUseBeforeItIsLoaded) {
  EXPECT_STREQ(std::getenv("ORT_DISABLE_TELEMETRY"), "1");
}

TEST(LocalEmbedder, SaysWhatToDoWithoutAModel) {
  const test::TemporaryDirectory directory;
  EXPECT_NE(refusal({.directory = directory.path() / "none", .remedy = kRemedy}), "");
  const std::string said = refusal({.directory = directory.path(), .remedy = kRemedy});
  for (const char* file : {"model.onnx", "tokenizer.json", "config.json"}) {
    EXPECT_NE(said.find(file), std::string::npos) << said;
  }
}

// With a real model, of which each test may break a file.
class LocalEmbedderTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = model_directory();
    if (!model) GTEST_SKIP() << "MAAS_TEST_MODEL_DIR names no embedding model";
    for (const auto& file : fs::directory_iterator(*model)) {
      fs::create_symlink(file.path(), directory_.path() / file.path().filename());
    }
  }

  void overwrite(const char* file, std::string_view content) {
    fs::remove(directory_.path() / file);
    std::ofstream(directory_.path() / file) << content;
  }

  LocalModelOptions options() const {
    return {.directory = directory_.path(), .threads = 2, .remedy = kRemedy};
  }
  std::string refusal() const { return llm::refusal(options()); }

  std::vector<Vector> embed(const std::vector<std::string>& texts) {
    if (!embedder_) embedder_ = make_local_embedder(options());
    return running_.run(embedder_->embed(texts, TextKind::document));
  }

  static float dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
  }

  test::TemporaryDirectory directory_;
  test::RunningLoops running_;
  std::unique_ptr<Embedder> embedder_;
};

TEST_F(LocalEmbedderTest, GivesNormalizedVectors) {
  const auto vectors = embed({"The dog is three years old.", "", "🐶", "字"});
  ASSERT_EQ(vectors.size(), 4U);
  for (const Vector& vector : vectors) {
    EXPECT_EQ(vector.size(), 384U);
    EXPECT_NEAR(dot(vector, vector), 1, 1e-5);
  }
  EXPECT_EQ(embedder_->engine(), "local");
  EXPECT_EQ(embedder_->dims(), 384U);
  EXPECT_TRUE(embedder_->model().starts_with("all-MiniLM-L6-v2-")) << embedder_->model();
  EXPECT_EQ(running_.run(embedder_->problem()), std::nullopt);
}

TEST_F(LocalEmbedderTest, PutsLikeMeaningsTogether) {
  const auto vectors = embed({"How old is the dog?", "The puppy is three.", "Stocks fell today."});
  EXPECT_GT(dot(vectors[0], vectors[1]), dot(vectors[0], vectors[2]) + 0.3F);
}

TEST_F(LocalEmbedderTest, GivesATextTheSameVectorInAnyCompany) {
  const std::string text = "She moved to Lisbon in May.";
  const Vector alone = embed({text})[0];
  const auto among = embed({"a", text, std::string(5000, '!'), text});
  EXPECT_EQ(among[1], alone);
  EXPECT_EQ(among[3], alone);
}

TEST_F(LocalEmbedderTest, CountsTheBeginningOfALongText) {
  std::string words;
  for (int i = 0; i < 254; ++i) words += "word ";
  const auto vectors = embed({words, words + "and much more"});
  EXPECT_EQ(vectors[0], vectors[1]);
}

TEST_F(LocalEmbedderTest, RefusesADirectoryThatLacksAFile) {
  for (const char* file : {"config.json", "tokenizer.json", "model.onnx"}) {
    fs::rename(directory_.path() / file, directory_.path() / "elsewhere");
    EXPECT_NE(refusal().find(std::string("lacks ") + file), std::string::npos) << refusal();
    fs::rename(directory_.path() / "elsewhere", directory_.path() / file);
  }
  EXPECT_EQ(refusal(), "");
}

TEST_F(LocalEmbedderTest, RefusesFilesThatAreBroken) {
  struct Case {
    const char* file;
    const char* content;
  };
  for (const auto& [file, content] :
       {Case{"config.json", "{"}, Case{"config.json", R"({"max_position_embeddings":256})"},
        Case{"config.json", R"({"hidden_size":-1,"max_position_embeddings":256})"},
        Case{"tokenizer.json", "{}"}, Case{"model.onnx", ""}, Case{"model.onnx", "no graph"}}) {
    const fs::path good = fs::read_symlink(directory_.path() / file);
    overwrite(file, content);
    EXPECT_NE(refusal().find(file), std::string::npos) << refusal();
    fs::remove(directory_.path() / file);
    fs::create_symlink(good, directory_.path() / file);
  }
}

TEST_F(LocalEmbedderTest, RefusesFilesOfDifferentModels) {
  overwrite("config.json", R"({"hidden_size":768,"max_position_embeddings":256})");
  EXPECT_NE(refusal(), "");
  overwrite("config.json", R"({"hidden_size":384,"max_position_embeddings":256})");
  EXPECT_EQ(refusal(), "");
  overwrite("tokenizer.json",
            R"({"model":{"type":"WordPiece","vocab":{"[UNK]":50000}},
                "pre_tokenizer":{"type":"BertPreTokenizer"}})");
  EXPECT_NE(refusal(), "");
}

TEST_F(LocalEmbedderTest, RefusesOtherDimensionsThanAreWanted) {
  LocalModelOptions other = options();
  other.dims = 768;
  const std::string said = llm::refusal(other);
  EXPECT_NE(said.find("384"), std::string::npos) << said;
  EXPECT_NE(said.find("768"), std::string::npos) << said;
  other.dims = 384;
  EXPECT_EQ(llm::refusal(other), "");
}

TEST_F(LocalEmbedderTest, TellsThatItsModelCantBeLoaded) {
  overwrite("model.onnx", "no graph");
  embedder_ = make_local_embedder(options());
  EXPECT_THROW(embed({"a"}), Error);
  const auto problem = running_.run(embedder_->problem());
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find("model.onnx"), std::string::npos) << *problem;
}

// What the files beside the graph say of the model.
TEST_F(LocalEmbedderTest, PutsPromptsBeforeTexts) {
  const auto plain = embed({"query: How old is the dog?", "How old is the dog?"});
  overwrite("config_sentence_transformers.json", R"({"prompts":{"query":"query: "}})");
  const auto prompting = make_local_embedder(options());
  const std::vector<std::string> text(1, "How old is the dog?");
  EXPECT_EQ(running_.run(prompting->embed(text, TextKind::query))[0], plain[0]);
  EXPECT_EQ(running_.run(prompting->embed(text, TextKind::document))[0], plain[1]);
}

}  // namespace
}  // namespace maas::llm
