#include "llm/embedding_cache.hpp"

#include "core/error.hpp"
#include "support/run_task.hpp"

#include <gtest/gtest.h>

namespace maas::llm {
namespace {

using Texts = std::vector<std::string>;

// Notes what reaches it; a text's vector is its size and the number of the call.
class NotingEmbedder final : public Embedder {
 public:
  explicit NotingEmbedder(std::vector<Texts>& calls) : calls_(calls) {}

  std::string_view engine() const override { return "noting"; }
  std::string_view model() const override { return "sizes"; }
  std::size_t dims() const override { return 2; }

  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind,
                                  trace::Parent) override {
    calls_.emplace_back(texts.begin(), texts.end());
    std::vector<Vector> vectors;
    for (const std::string& text : texts) {
      if (text == "bad") throw Error(Errc::unavailable, "bad text");
      vectors.push_back({static_cast<float>(text.size()), static_cast<float>(calls_.size())});
    }
    co_return vectors;
  }

  Task<std::optional<std::string>> problem() override { co_return "tired"; }

 private:
  std::vector<Texts>& calls_;
};

class EmbeddingCacheTest : public testing::Test {
 protected:
  std::vector<Vector> ask(Texts texts, TextKind kind = TextKind::query) {
    return running_.run(cache_->embed(texts, kind));
  }
  void remake(std::size_t max_bytes, CachedTexts cached = CachedTexts::queries) {
    cache_ = make_embedding_cache(std::make_unique<NotingEmbedder>(calls_), cached, max_bytes);
  }

  std::vector<Texts> calls_;
  std::unique_ptr<Embedder> cache_ =
      make_embedding_cache(std::make_unique<NotingEmbedder>(calls_), CachedTexts::queries, 1 << 20);
  test::RunningLoops running_;
};

TEST_F(EmbeddingCacheTest, ComputesAQueryOnce) {
  EXPECT_EQ(ask({"why"}), (std::vector<Vector>{{3, 1}}));
  EXPECT_EQ(ask({"why"}), (std::vector<Vector>{{3, 1}}));
  EXPECT_EQ(calls_.size(), 1U);
}

TEST_F(EmbeddingCacheTest, ComputesOnlyWhatItLacksAndKeepsTheOrder) {
  ask({"bb"});
  EXPECT_EQ(ask({"a", "bb", "ccc"}), (std::vector<Vector>{{1, 2}, {2, 1}, {3, 2}}));
  EXPECT_EQ(calls_.back(), (Texts{"a", "ccc"}));
}

TEST_F(EmbeddingCacheTest, LetsDocumentsThrough) {
  ask({"text"});
  ask({"text"}, TextKind::document);
  ask({"text"}, TextKind::document);
  EXPECT_EQ(calls_.size(), 3U);
}

TEST_F(EmbeddingCacheTest, KeepsDocumentsApartFromQueriesWhereItKeepsThem) {
  remake(1 << 20, CachedTexts::all);
  EXPECT_EQ(ask({"text"}), (std::vector<Vector>{{4, 1}}));
  EXPECT_EQ(ask({"text"}, TextKind::document), (std::vector<Vector>{{4, 2}}));
  EXPECT_EQ(ask({"text"}, TextKind::document), (std::vector<Vector>{{4, 2}}));
  EXPECT_EQ(ask({"text"}), (std::vector<Vector>{{4, 1}}));
  EXPECT_EQ(calls_.size(), 2U);
}

TEST_F(EmbeddingCacheTest, ForgetsWhatWasAskedLongestAgo) {
  remake(2 * 250);  // an entry of such texts takes a little above 200 bytes
  ask({"a"});
  ask({"b"});
  ask({"a"});
  ask({"c"});  // b has to go
  ASSERT_EQ(calls_.size(), 3U);
  ask({"a"});
  ask({"c"});
  EXPECT_EQ(calls_.size(), 3U);
  ask({"b"});
  EXPECT_EQ(calls_.size(), 4U);
}

TEST_F(EmbeddingCacheTest, KeepsNoTextThatIsLargerThanAllOfIt) {
  remake(500);
  ask({"a"});
  ask({std::string(600, 'x')});
  ask({std::string(600, 'x')});
  EXPECT_EQ(calls_.size(), 3U);
  ask({"a"});
  EXPECT_EQ(calls_.size(), 3U);
}

TEST_F(EmbeddingCacheTest, KeepsNoFailure) {
  EXPECT_THROW(ask({"bad"}), Error);
  EXPECT_THROW(ask({"bad"}), Error);
  EXPECT_EQ(calls_.size(), 2U);
}

TEST_F(EmbeddingCacheTest, AnswersFromMemoryWithoutSuspending) {
  ask({"why"});
  const auto suspended = [](Embedder& cache) -> Task<bool> {
    const Texts texts{"why"};
    bool other_ran = false;
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::post(executor, [&other_ran] { other_ran = true; });
    co_await cache.embed(texts, TextKind::query);
    const bool seen = other_ran;
    co_await boost::asio::post(executor, use_task);  // what was posted before has run then
    co_return seen;
  };
  EXPECT_FALSE(running_.run(suspended(*cache_)));
}

TEST_F(EmbeddingCacheTest, SpeaksForItsEmbedder) {
  EXPECT_EQ(cache_->engine(), "noting");
  EXPECT_EQ(cache_->model(), "sizes");
  EXPECT_EQ(cache_->dims(), 2U);
  EXPECT_EQ(running_.run(cache_->problem()), "tired");
}

}  // namespace
}  // namespace maas::llm
