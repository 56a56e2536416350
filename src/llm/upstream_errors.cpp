#include "llm/upstream_errors.hpp"

#include "llm/echo.hpp"

#include <algorithm>

namespace maas::llm {
namespace {

constexpr std::size_t kMostDetail = 300;  // bytes
constexpr std::size_t kMostRead = 4096;   // of a reply

void drop_last_character(std::string& text) {
  while (!text.empty() && (text.back() & 0xc0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

// What a provider said, in one line, without the key.
std::string shown(std::string_view reply, const std::string& key) {
  std::string text;
  while (!reply.empty() && text.size() < kMostDetail) {
    const bool is_key = !key.empty() && reply.starts_with(key);
    text += is_key ? std::string_view("***") : reply.substr(0, 1);
    reply.remove_prefix(is_key ? key.size() : 1);
  }
  if (!reply.empty()) drop_last_character(text);  // half of it may be missing
  std::ranges::replace_if(
      text, [](char each) { return static_cast<unsigned char>(each) < ' '; }, ' ');
  return text;
}

std::string advice(const Upstream& upstream, unsigned status) {
  switch (status) {
    case 401:
    case 403:
      return "; check " + upstream.key_setting;
    case 404:
      return "; check " + upstream.model_setting;
    case 413:
      return "; the request is too large for it";
    case 429:
      return "; its limit of requests or its quota is used up";
    default:
      return "";
  }
}

}  // namespace

Error refused(const Upstream& upstream, unsigned status, std::string_view reply,
              std::string_view request) {
  const std::string said = without_echo(reply.substr(0, kMostRead), request);
  const std::string what = status >= 500 ? " failed" : " refused the request";
  return {Errc::upstream_failed,
          upstream.provider + what + " for the model " + upstream.model + " with status " +
              std::to_string(status) + advice(upstream, status),
          shown(said, upstream.key)};
}

Error unusable(const Upstream& upstream, const UnusableReply& reply) {
  return {Errc::upstream_failed,
          "The answer of " + upstream.provider + ", model " + upstream.model + ", " + reply.what()};
}

}  // namespace maas::llm
