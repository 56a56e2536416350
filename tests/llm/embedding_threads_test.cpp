#include "llm/embedding_threads.hpp"

#include "core/error.hpp"
#include "support/run_task.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <mutex>

namespace maas::llm {
namespace {

using Texts = std::vector<std::string>;

// One thread that stands still at the text "gate" until it is opened, and notes what it computes.
class EmbeddingThreadsTest : public testing::Test {
 protected:
  Vector compute(const std::string& text) {
    {
      const std::lock_guard lock(mutex_);
      computed_.push_back(text);
    }
    if (text == "gate") {
      at_gate_.set_value();
      opened_.get_future().wait();
    }
    if (text == "bad") throw Error(Errc::unavailable, "bad text");
    return {static_cast<float>(text.size())};
  }

  std::future<std::vector<Vector>> spawn(Texts texts, TextKind kind) {
    return boost::asio::co_spawn(running_.loops[0], call(threads_, std::move(texts), kind),
                                 boost::asio::use_future);
  }

  void close_gate() {
    gate_ = spawn({"gate"}, TextKind::document);
    at_gate_.get_future().wait();
  }

  // The texts in the order in which they were taken, without the gate.
  Texts open_gate(std::vector<std::future<std::vector<Vector>>> calls) {
    running_.run(nothing());  // the loop has run all calls up to their waiting
    opened_.set_value();
    gate_.get();
    for (auto& each : calls) each.get();
    const std::lock_guard lock(mutex_);
    return {computed_.begin() + 1, computed_.end()};
  }

  template <class... Calls>
  static std::vector<std::future<std::vector<Vector>>> all(Calls... calls) {
    std::vector<std::future<std::vector<Vector>>> list;
    (list.push_back(std::move(calls)), ...);
    return list;
  }

 private:
  static Task<std::vector<Vector>> call(EmbeddingThreads& threads, Texts texts, TextKind kind) {
    co_return co_await threads.embed(texts, kind);
  }
  static Task<int> nothing() { co_return 0; }

  std::mutex mutex_;
  Texts computed_;
  std::promise<void> at_gate_;
  std::promise<void> opened_;
  std::future<std::vector<Vector>> gate_;

 protected:
  test::RunningLoops running_;
  EmbeddingThreads threads_{1, [this](const std::string& text) { return compute(text); }};
};

TEST_F(EmbeddingThreadsTest, TakeQueriesFirst) {
  close_gate();
  auto documents = spawn({"d1", "d2"}, TextKind::document);
  auto query = spawn({"q"}, TextKind::query);
  EXPECT_EQ(open_gate(all(std::move(documents), std::move(query))), (Texts{"q", "d1", "d2"}));
}

TEST_F(EmbeddingThreadsTest, LetCallsTakeTurns) {
  close_gate();
  auto large = spawn({"a1", "a2", "a3"}, TextKind::document);
  auto small = spawn({"b1"}, TextKind::document);
  EXPECT_EQ(open_gate(all(std::move(large), std::move(small))), (Texts{"a1", "b1", "a2", "a3"}));
}

TEST_F(EmbeddingThreadsTest, GoOnWithDocumentsUnderAnyLoadOfQueries) {
  close_gate();
  auto documents = spawn({"d1", "d2"}, TextKind::document);
  auto queries = spawn(Texts(20, "q"), TextKind::query);
  const Texts order = open_gate(all(std::move(documents), std::move(queries)));
  ASSERT_EQ(order.size(), 22U);
  EXPECT_EQ(std::ranges::find(order, "d1") - order.begin(), 8);
  EXPECT_EQ(std::ranges::find(order, "d2") - order.begin(), 17);
}

TEST_F(EmbeddingThreadsTest, FailACallWithoutComputingItsRest) {
  close_gate();
  auto failing = spawn({"a", "bad", "c", "d"}, TextKind::document);
  auto other = spawn({"x", "y"}, TextKind::document);
  EXPECT_EQ(open_gate(all(std::move(other))), (Texts{"a", "x", "bad", "y"}));
  EXPECT_THROW(failing.get(), Error);
}

TEST_F(EmbeddingThreadsTest, TakeNothingForNothing) {
  EXPECT_TRUE(spawn({}, TextKind::document).get().empty());
}

TEST(EmbeddingThreads, KeepTheOrderOfTexts) {
  test::RunningLoops running;
  EmbeddingThreads threads(
      4, [](const std::string& text) { return Vector{static_cast<float>(text.size())}; });
  Texts texts;
  for (std::size_t size = 0; size < 300; ++size) texts.emplace_back(size, 'a');
  const auto vectors = running.run(threads.embed(texts, TextKind::document));
  ASSERT_EQ(vectors.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(vectors[i], Vector{static_cast<float>(i)});
  }
}

}  // namespace
}  // namespace maas::llm
