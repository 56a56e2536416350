#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::http {

// The bytes that `text` stands for (RFC 3986); nullopt where a '%' lacks its two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

// Every byte but A–Z a–z 0–9 - . _ ~ as '%' and two hex digits.
std::string percent_encode(std::string_view text);

// `text` with all that is not printable ASCII percent-encoded: safe to put into a log or a reply.
std::string printable(std::string_view text);

// A base to which a path is appended: no '/' at its end.
std::string without_final_slash(std::string url);

using Query = std::vector<std::pair<std::string, std::string>>;

// The parts of "a=1&b=2", decoded, '+' as a space (application/x-www-form-urlencoded); nullopt as
// above.
std::optional<Query> parse_query(std::string_view text);

// A request target (RFC 9112, 3.2) cut into path and query, as sent. The scheme and authority of an
// absolute-form target are dropped; "*" and authority-form targets are a path of their own.
struct Target {
  std::string_view path;
  std::string_view query;
};
Target split_target(std::string_view target);

// What a Host header says, or a URL of where it leads.
struct Authority {
  std::string_view host = {};              // of an IPv6 address without its brackets
  std::optional<std::uint16_t> port = {};  // nullopt: none, or no number
};
Authority parse_authority(std::string_view text);
// With the port of its scheme where it names none, without user and password; empty for no URL.
Authority authority_of_url(std::string_view url);

}  // namespace maas::http
