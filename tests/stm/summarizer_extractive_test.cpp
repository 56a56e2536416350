#include "stm/extractive_summary.hpp"
#include "stm/summarizer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <vector>

namespace maas::stm {
namespace {

constexpr auto kEncoding = text::Encoding::o200k_base;

std::vector<Message> conversation(int messages) {
  std::vector<Message> made;
  for (int i = 0; i < messages; ++i) {
    Message message;
    message.content = "Parcel " + std::to_string(i) + " goes to Rotterdam on Monday.";
    made.push_back(message);
  }
  return made;
}

Summary run(Summarizer& summarizer, const std::vector<Message>& messages, std::int64_t max_tokens) {
  boost::asio::io_context loop;
  auto summary = boost::asio::co_spawn(loop, summarizer.summarize(messages, max_tokens),
                                       boost::asio::use_future);
  loop.run();
  return summary.get();
}

TEST(ExtractiveSummarizer, ExtractsShortAndLongConversations) {
  boost::asio::thread_pool pool(1);
  const auto summarizer = make_extractive_summarizer(kEncoding, pool);
  for (const int count : {2, 5000}) {
    const std::vector<Message> messages = conversation(count);
    const Summary summary = run(*summarizer, messages, 100);
    EXPECT_EQ(summary.content, extract_summary(messages, 100, kEncoding));
    EXPECT_EQ(summary.method, "extractive");
  }
}

TEST(ExtractiveSummarizer, ReadsShortConversationsWithoutThePool) {
  boost::asio::io_context loop;
  boost::asio::thread_pool pool(1);
  pool.stop();
  const auto summarizer = make_extractive_summarizer(kEncoding, pool);
  const std::vector<Message> messages = conversation(2);
  bool done = false;
  boost::asio::co_spawn(loop, summarizer->summarize(messages, 100),
                        [&done](std::exception_ptr, const Summary&) { done = true; });
  loop.poll();
  EXPECT_TRUE(done);
}

TEST(ExtractiveSummarizer, SaysNothingWithoutABudget) {
  boost::asio::thread_pool pool(1);
  const auto summarizer = make_extractive_summarizer(kEncoding, pool);
  EXPECT_EQ(run(*summarizer, conversation(2), 0).content, "");
}

}  // namespace
}  // namespace maas::stm
