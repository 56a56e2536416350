// Request targets: taken apart without loss, and what is decoded can be encoded back.
#include "fuzz/check.hpp"
#include "http/url.hpp"

#include <algorithm>

namespace maas::fuzz {
namespace {

void check_encoding(std::string_view text) {
  const std::string encoded = http::percent_encode(text);
  check(http::percent_decode(encoded) == text, "what is encoded decodes to itself");
  if (const auto decoded = http::percent_decode(text)) {
    check(decoded->size() <= text.size(), "decoding does not make text longer");
    check(http::percent_decode(http::percent_encode(*decoded)) == decoded, "decoding round trip");
  }
  const std::string printed = http::printable(text);
  check(std::ranges::all_of(printed, [](char c) { return c >= ' ' && c < '\x7f'; }),
        "printable text is printable ASCII");
}

void check_query(std::string_view text) {
  const auto query = http::parse_query(text);
  check(query.has_value() || !http::percent_decode(text), "only bad percent-encoding is refused");
  if (!query) return;
  std::string written;
  for (const auto& [name, value] : *query) {
    written += http::percent_encode(name) + '=' + http::percent_encode(value) + '&';
  }
  check(http::parse_query(written) == query, "a query that is written back means the same");
}

bool is_inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_target(std::string_view text) {
  const http::Target target = http::split_target(text);
  check(target.path.find('?') == target.path.npos, "a path holds no query");
  check(target.path.empty() == text.empty(), "every target has a path");
  check(target.path == "/" || is_inside(target.path, text), "a path is part of the target");
  check(target.query.empty() || is_inside(target.query, text), "a query is part of the target");
  check(!text.starts_with('/') || text.starts_with(target.path), "a path begins its target");
  check_query(target.query);
}

}  // namespace
}  // namespace maas::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text = maas::fuzz::text_of(data, size);
  maas::fuzz::check_encoding(text);
  maas::fuzz::check_query(text);
  maas::fuzz::check_target(text);
  return 0;
}
