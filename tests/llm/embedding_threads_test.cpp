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

std::string joined(std::span<const std::string* const> texts) {
  std::string all;
  for (const std::string* text : texts) all += (all.empty() ? "" : "+") + *text;
  return all;
}

// One thread that stands still at the text "gate" until it is opened, and notes what it computes:
// texts that are handed over together with a + between them.
class EmbeddingThreadsTest : public testing::Test {
 protected:
  explicit EmbeddingThreadsTest(bool shares_runs = false)
      : threads_(
            1, [this](auto texts) { return vectors_of(texts); },
            [shares_runs] { return shares_runs; }) {}

  std::vector<Vector> vectors_of(std::span<const std::string* const> texts) {
    const Vector vector = compute(joined(texts));
    return std::vector<Vector>(texts.size(), vector);
  }

  Vector compute(const std::string& text) {
    {
      const std::lock_guard lock(mutex_);
      computed_.push_back(text);
    }
    if (text == "gate") {
      at_gate_.set_value();
      opened_.get_future().wait();
    }
    if (text.find("bad") != std::string::npos) throw Error(Errc::unavailable, "bad text");
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
  EmbeddingThreads threads_;
};

class SharingEmbeddingThreadsTest : public EmbeddingThreadsTest {
 protected:
  SharingEmbeddingThreadsTest() : EmbeddingThreadsTest(true) {}
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
  auto failing = spawn({"aaa", "bad", "ccc", "ddd"}, TextKind::document);
  auto other = spawn({"x", "y"}, TextKind::document);
  EXPECT_EQ(open_gate(all(std::move(other))), (Texts{"aaa", "x", "bad", "y"}));
  EXPECT_THROW(failing.get(), Error);
}

TEST_F(EmbeddingThreadsTest, TakeNothingForNothing) {
  EXPECT_TRUE(spawn({}, TextKind::document).get().empty());
}

TEST_F(SharingEmbeddingThreadsTest, TakeTextsOfSeveralCallsTogether) {
  close_gate();
  auto one = spawn({"a1", "a2"}, TextKind::query);
  auto other = spawn({"b1"}, TextKind::query);
  EXPECT_EQ(open_gate(all(std::move(one), std::move(other))), (Texts{"a1+b1+a2"}));
}

TEST_F(SharingEmbeddingThreadsTest, TakeLongTextsAlone) {
  close_gate();
  const std::string text(300, 'a');
  auto call = spawn({text, text, "b", std::string(3000, 'c')}, TextKind::document);
  EXPECT_EQ(open_gate(all(std::move(call))), (Texts{"b+" + text, text, std::string(3000, 'c')}));
}

TEST_F(SharingEmbeddingThreadsTest, GoOnWithDocumentsUnderAnyLoadOfQueries) {
  close_gate();
  auto documents = spawn({"d1", "d2"}, TextKind::document);
  auto queries = spawn(Texts(10, "q"), TextKind::query);
  EXPECT_EQ(open_gate(all(std::move(documents), std::move(queries))),
            (Texts{"q+q+q+q+q+q+q+q", "d1", "q+q", "d2"}));
}

TEST_F(SharingEmbeddingThreadsTest, FailNoCallWithTheTextOfAnother) {
  close_gate();
  auto failing = spawn({"aaa", "bad", "ccc"}, TextKind::document);
  auto other = spawn({"x", "y"}, TextKind::document);
  EXPECT_EQ(open_gate(all(std::move(other))),
            (Texts{"aaa+x+bad+y+ccc", "aaa", "x", "bad", "y", "ccc"}));
  EXPECT_THROW(failing.get(), Error);
}

class EmbeddingOrderTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(SharingRuns, EmbeddingOrderTest, testing::Bool());

TEST_P(EmbeddingOrderTest, IsThatOfTheTexts) {
  test::RunningLoops running;
  const auto sizes = [](std::span<const std::string* const> of_texts) {
    std::vector<Vector> vectors;
    for (const std::string* text : of_texts) vectors.push_back({static_cast<float>(text->size())});
    return vectors;
  };
  EmbeddingThreads threads(4, sizes, [] { return GetParam(); });
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
