// Any text, whatever language or nonsense, is counted, and cut where a limit says.
#include "fuzz/check.hpp"
#include "fuzz/utf8_input.hpp"
#include "text/token_counter.hpp"

#include <fuzzer/FuzzedDataProvider.h>

namespace maas::fuzz {
namespace {

void check_text(std::string_view text, std::int64_t max_tokens, text::Encoding encoding) {
  const std::int64_t tokens = text::count_tokens(text, encoding);
  check((tokens == 0) == text.empty(), "only the empty text has no tokens");
  check(tokens <= static_cast<std::int64_t>(text.size()), "a token is at least one byte");

  const std::string_view prefix = text::prefix_within(text, max_tokens, encoding);
  check(text.starts_with(prefix), "a prefix begins its text");
  check(text::is_valid_utf8(prefix), "a prefix ends between characters");
  check(text::count_tokens(prefix, encoding) <= max_tokens, "a prefix is within its limit");
  if (tokens <= max_tokens) check(prefix == text, "what fits is not cut");
}

}  // namespace
}  // namespace maas::fuzz

// The last byte is the limit, in tokens.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto max_tokens = input.ConsumeIntegral<unsigned char>();
  const std::string text = maas::fuzz::valid_utf8(input.ConsumeRemainingBytesAsString());
  for (const auto encoding :
       {maas::text::Encoding::cl100k_base, maas::text::Encoding::o200k_base}) {
    maas::fuzz::check_text(text, max_tokens, encoding);
  }
  return 0;
}
