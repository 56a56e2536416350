#include "core/offload.hpp"
#include "stm/extractive_summary.hpp"
#include "stm/summarizer.hpp"

namespace maas::stm {
namespace {

// About what one millisecond is enough for.
constexpr std::size_t kBytesInPlace = 8 * 1024;

std::size_t bytes_of(std::span<const Message> messages) {
  std::size_t bytes = 0;
  for (const Message& message : messages) bytes += message.content.size();
  return bytes;
}

class ExtractiveSummarizer final : public Summarizer {
 public:
  ExtractiveSummarizer(text::Encoding encoding, boost::asio::thread_pool& pool)
      : encoding_(encoding), pool_(pool) {}

  Task<Summary> summarize(std::span<const Message> messages, std::int64_t max_tokens,
                          trace::Parent) override {
    const auto extract = [this, messages, max_tokens] {
      return Summary{extract_summary(messages, max_tokens, encoding_), "extractive"};
    };
    if (bytes_of(messages) <= kBytesInPlace) co_return extract();
    co_return co_await offload(pool_, extract);
  }

 private:
  text::Encoding encoding_;
  boost::asio::thread_pool& pool_;
};

}  // namespace

std::unique_ptr<Summarizer> make_extractive_summarizer(text::Encoding encoding,
                                                       boost::asio::thread_pool& pool) {
  return std::make_unique<ExtractiveSummarizer>(encoding, pool);
}

}  // namespace maas::stm
