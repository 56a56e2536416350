// Conversations of any text, and summaries of summaries, are summarized within the budget.
#include "fuzz/check.hpp"
#include "fuzz/utf8_input.hpp"
#include "stm/extractive_summary.hpp"

#include <algorithm>
#include <fuzzer/FuzzedDataProvider.h>
#include <vector>

namespace maas::fuzz {
namespace {

constexpr auto kEncoding = text::Encoding::o200k_base;
constexpr char kEndOfMessage = '\xFF';  // occurs in no UTF-8

// A message's first byte is its role: '0' user, '1' assistant, '2' system, '3' summary.
Message read_message(std::string_view bytes) {
  Message message;
  if (!bytes.empty()) {
    constexpr Role kRoles[] = {Role::user, Role::assistant, Role::system, Role::summary};
    message.role = kRoles[bytes.front() & 3];
    message.content = valid_utf8(bytes.substr(1));
  }
  return message;
}

std::vector<Message> read_messages(std::string_view bytes) {
  std::vector<Message> messages;
  while (!bytes.empty()) {
    const std::string_view message = bytes.substr(0, bytes.find(kEndOfMessage));
    messages.push_back(read_message(message));
    bytes.remove_prefix(std::min(message.size() + 1, bytes.size()));
  }
  return messages;
}

void check_summary(const std::vector<Message>& messages, std::int64_t max_tokens) {
  const std::string summary = stm::extract_summary(messages, max_tokens, kEncoding);
  check(text::is_valid_utf8(summary), "a summary is valid UTF-8");
  check(text::count_tokens(summary, kEncoding) <= max_tokens, "a summary is within its budget");
}

}  // namespace
}  // namespace maas::fuzz

// The last byte is the budget, in tokens.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto max_tokens = input.ConsumeIntegral<unsigned char>();
  maas::fuzz::check_summary(maas::fuzz::read_messages(input.ConsumeRemainingBytesAsString()),
                            max_tokens);
  return 0;
}
