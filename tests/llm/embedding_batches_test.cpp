#include "llm/embedding_batches.hpp"

#include "core/error.hpp"
#include "core/timer.hpp"
#include "support/run_task.hpp"

#include <boost/asio/cancel_after.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>

namespace maas::llm {
namespace {

using Texts = std::vector<std::string>;

// A provider that answers when it is let to. A text's vector is its length.
class EmbeddingBatchesTest : public testing::Test {
 protected:
  ~EmbeddingBatchesTest() override { running_.loops.abort(); }

  Task<std::vector<Vector>> answer(Texts texts, TextKind kind) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back({kind, texts});
    }
    while (held_) co_await pause(std::chrono::milliseconds(1));
    std::vector<Vector> vectors;
    for (const std::string& text : texts) {
      if (text == "bad") throw Error(Errc::upstream_failed, "bad text");
      if (text == "no") throw RefusedTexts(Error(Errc::upstream_failed, "refused text"));
      vectors.push_back({static_cast<float>(text.size())});
    }
    co_return vectors;
  }

  std::future<std::vector<Vector>> start(Texts texts, TextKind kind = TextKind::query,
                                         std::size_t loop = 0) {
    return boost::asio::co_spawn(running_.loops[loop], embed(std::move(texts), kind),
                                 boost::asio::use_future);
  }
  Task<std::vector<Vector>> embed(Texts texts, TextKind kind) {
    co_return co_await batches_.embed(texts, kind);
  }
  void wait_for_requests(std::size_t count) {
    while (requests().size() < count) std::this_thread::yield();
  }
  // Until all that was started before waits or is on its way.
  void settle() {
    for (std::size_t loop = 0; loop < 2; ++loop) running_.run(nothing(), loop);
  }
  static Task<int> nothing() { co_return 0; }

  struct Request {
    TextKind kind;
    Texts texts;
  };
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  std::mutex mutex_;
  std::vector<Request> requests_;
  std::atomic<bool> held_ = false;
  test::RunningLoops running_{2};
  EmbeddingBatches batches_{
      {.texts = 3, .bytes = 100, .requests = 2},
      "too many wait",
      [this](Texts texts, TextKind kind, trace::Parent) { return answer(std::move(texts), kind); }};
};

TEST_F(EmbeddingBatchesTest, AsksAtOnceWhenNobodyElseDoes) {
  EXPECT_EQ(start({"a", "bcd"}).get(), (std::vector<Vector>{{1}, {3}}));
  EXPECT_EQ(requests().size(), 1u);
  EXPECT_TRUE(start({}).get().empty());
  EXPECT_EQ(requests().size(), 1u);
}

TEST_F(EmbeddingBatchesTest, JoinsWhatWaits) {
  held_ = true;
  std::vector<std::future<std::vector<Vector>>> calls;
  calls.push_back(start({"1"}));
  calls.push_back(start({"22"}));
  wait_for_requests(2);
  for (int i = 3; i <= 8; ++i) {
    calls.push_back(start({std::string(i, 'x')}, TextKind::query, i % 2));
    settle();
  }
  EXPECT_EQ(requests().size(), 2u);
  held_ = false;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].get(), (std::vector<Vector>{{static_cast<float>(i + 1)}}));
  }
  ASSERT_EQ(requests().size(), 4u);
  EXPECT_EQ(requests()[2].texts.size(), 3u);
  EXPECT_EQ(requests()[3].texts.size(), 3u);
}

TEST_F(EmbeddingBatchesTest, SplitsALargeCallAndKeepsItsOrder) {
  EXPECT_EQ(start({"1", "22", "333", "4444", "1"}).get(),
            (std::vector<Vector>{{1}, {2}, {3}, {4}, {1}}));
  EXPECT_EQ(requests().size(), 2u);
}

TEST_F(EmbeddingBatchesTest, SplitsByBytesAndSendsAnOverlongTextAlone) {
  const std::string half(50, 'h');
  const std::string more(51, 'm');
  const std::string overlong(500, 'o');
  EXPECT_EQ(start({half, half, more, overlong, "1", "22"}).get(),
            (std::vector<Vector>{{50}, {50}, {51}, {500}, {1}, {2}}));
  std::vector<Texts> sent;
  for (const Request& request : requests()) sent.push_back(request.texts);
  EXPECT_EQ(sent, (std::vector<Texts>{{half}, {more}, {overlong}, {"1", "22"}}));
}

TEST_F(EmbeddingBatchesTest, SendsATextOnceAndKindsApart) {
  held_ = true;
  auto first = start({"1"});
  auto second = start({"22"});
  wait_for_requests(2);
  auto query = start({"same"});
  auto again = start({"same"}, TextKind::query, 1);
  auto document = start({"same"}, TextKind::document);
  settle();
  held_ = false;
  for (auto* call : {&query, &again, &document}) EXPECT_EQ(call->get(), (std::vector<Vector>{{4}}));
  first.get();
  second.get();
  ASSERT_EQ(requests().size(), 4u);
  EXPECT_EQ(requests()[2].texts, Texts{"same"});
  EXPECT_EQ(requests()[3].texts, Texts{"same"});
  EXPECT_NE(requests()[2].kind, requests()[3].kind);
}

TEST_F(EmbeddingBatchesTest, FailsTheCallsOfARequestAndNoOther) {
  EXPECT_THROW(start({"bad"}).get(), Error);
  EXPECT_EQ(start({"good"}).get(), (std::vector<Vector>{{4}}));
  EXPECT_THROW(start({"1", "22", "333", "bad"}).get(), Error) << "also of a part";
}

TEST_F(EmbeddingBatchesTest, AsksCallByCallWhatIsRefusedTogether) {
  held_ = true;
  auto first = start({"1"});
  auto second = start({"22"});
  wait_for_requests(2);
  auto good = start({"333"});
  auto refused = start({"no"});
  auto other = start({"333"}, TextKind::query, 1);
  settle();
  held_ = false;
  EXPECT_EQ(good.get(), (std::vector<Vector>{{3}}));
  EXPECT_EQ(other.get(), (std::vector<Vector>{{3}}));
  EXPECT_THROW(refused.get(), Error);
  first.get();
  second.get();
  std::vector<Texts> sent;
  for (const Request& request : requests()) sent.push_back(request.texts);
  std::ranges::sort(sent.begin() + 3, sent.end());
  EXPECT_EQ(sent, (std::vector<Texts>{sent[0], sent[1], sent[2], {"333"}, {"333"}, {"no"}}));
}

TEST_F(EmbeddingBatchesTest, AsksOnceWhatIsRefusedAlone) {
  EXPECT_THROW(start({"1", "no"}).get(), Error);
  EXPECT_EQ(requests().size(), 1u);
}

TEST_F(EmbeddingBatchesTest, LeavesTheOthersWhenOneCallerGoes) {
  held_ = true;
  auto gone = boost::asio::co_spawn(
      running_.loops[0], embed({"1"}, TextKind::query),
      boost::asio::cancel_after(std::chrono::milliseconds(1), boost::asio::use_future));
  EXPECT_THROW(gone.get(), boost::system::system_error);
  auto second = start({"22"});
  auto third = start({"333"});
  settle();
  held_ = false;
  EXPECT_EQ(second.get(), (std::vector<Vector>{{2}}));
  EXPECT_EQ(third.get(), (std::vector<Vector>{{3}}));
}

TEST_F(EmbeddingBatchesTest, SendsNoTextOfACallerWhoIsGone) {
  held_ = true;
  auto first = start({"1"});
  auto second = start({"22"});
  wait_for_requests(2);
  auto gone = boost::asio::co_spawn(
      running_.loops[0], embed({"a", "b", "c", "d"}, TextKind::query),
      boost::asio::cancel_after(std::chrono::milliseconds(1), boost::asio::use_future));
  EXPECT_THROW(gone.get(), boost::system::system_error);
  auto third = start({"333"});
  settle();
  held_ = false;
  EXPECT_EQ(third.get(), (std::vector<Vector>{{3}}));
  first.get();
  second.get();
  ASSERT_EQ(requests().size(), 3u);
  EXPECT_EQ(requests()[2].texts, Texts{"333"});
}

TEST_F(EmbeddingBatchesTest, RefusesMoreThanCanWait) {
  held_ = true;
  auto first = start({"1"});
  auto second = start({"22"});
  wait_for_requests(2);
  auto many = start(Texts(20'001, "x"));
  settle();
  try {
    start({"one more"}).get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable);
    EXPECT_STREQ(error.what(), "too many wait");
  }
  held_ = false;
  EXPECT_EQ(many.get().size(), 20'001u);
}

TEST_F(EmbeddingBatchesTest, EndsWithRequestsOnTheirWay) {
  held_ = true;
  auto first = start({"1"});
  auto second = start({"22"});
  wait_for_requests(2);
  auto waiting = start({"333"});
}

}  // namespace
}  // namespace maas::llm
