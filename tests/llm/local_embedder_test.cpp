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

// Why a directory holds no usable model; "" if it does.
std::string refusal(const fs::path& directory) {
  try {
    make_local_embedder({.directory = directory, .threads = 1});
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable);
    return error.what();
  }
}

bool says_what_to_do(const std::string& refusal) {
  return refusal.find("scripts/model") != std::string::npos;
}

TEST(LocalEmbedder, SaysWhatToDoWithoutAModel) {
  const test::TemporaryDirectory directory;
  EXPECT_TRUE(says_what_to_do(refusal(directory.path() / "none")));
  EXPECT_TRUE(says_what_to_do(refusal(directory.path())));
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

  std::vector<Vector> embed(const std::vector<std::string>& texts) {
    if (!embedder_) {
      embedder_ = make_local_embedder({.directory = directory_.path(), .threads = 2});
    }
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
  for (const char* file : {"config.json", "vocab.txt", "model.onnx"}) {
    fs::rename(directory_.path() / file, directory_.path() / "elsewhere");
    EXPECT_TRUE(says_what_to_do(refusal(directory_.path()))) << file;
    fs::rename(directory_.path() / "elsewhere", directory_.path() / file);
  }
  EXPECT_EQ(refusal(directory_.path()), "");
}

TEST_F(LocalEmbedderTest, RefusesFilesThatAreBroken) {
  struct Case {
    const char* file;
    const char* content;
  };
  for (const auto& [file, content] :
       {Case{"config.json", "{"}, Case{"config.json", R"({"model":"m","dims":384})"},
        Case{"config.json", R"({"model":"m","dims":-1,"max_tokens":256})"},
        Case{"vocab.txt", "a\nb\n"}, Case{"model.onnx", ""}, Case{"model.onnx", "no graph"}}) {
    const fs::path good = fs::read_symlink(directory_.path() / file);
    overwrite(file, content);
    EXPECT_TRUE(says_what_to_do(refusal(directory_.path()))) << file << ": " << content;
    fs::remove(directory_.path() / file);
    fs::create_symlink(good, directory_.path() / file);
  }
}

TEST_F(LocalEmbedderTest, RefusesFilesOfDifferentModels) {
  overwrite("config.json", R"({"model":"m","dims":768,"max_tokens":256})");
  EXPECT_TRUE(says_what_to_do(refusal(directory_.path())));
  overwrite("config.json", R"({"model":"m","dims":384,"max_tokens":256})");
  EXPECT_EQ(refusal(directory_.path()), "");
  std::string vocabulary = "[UNK]\n[CLS]\n[SEP]\n";
  for (int i = 0; i < 50'000; ++i) vocabulary += "token" + std::to_string(i) + "\n";
  overwrite("vocab.txt", vocabulary);
  EXPECT_TRUE(says_what_to_do(refusal(directory_.path())));
}

}  // namespace
}  // namespace maas::llm
