#include "trace/trace_context.hpp"

#include "core/trimmed.hpp"

#include <boost/algorithm/hex.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>

namespace maas::trace {
namespace {

// "00-" 32 digits "-" 16 digits "-" 2 digits
constexpr std::size_t kTraceId = 3;
constexpr std::size_t kSpanId = 36;
constexpr std::size_t kFlags = 53;
constexpr std::size_t kLength = 55;
constexpr std::size_t kMostMembers = 32;
constexpr std::size_t kMostKeyBytes = 256;
constexpr std::size_t kMostValueBytes = 256;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of lower case digits alone.
bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  text = text.substr(0, 2 * bytes.size());
  if (text.find_first_not_of("0123456789abcdef") != text.npos) return false;
  boost::algorithm::unhex(text.begin(), text.end(), bytes.begin());
  return true;
}

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  boost::algorithm::hex_lower(bytes.begin(), bytes.end(), std::back_inserter(out));
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::optional<TraceContext> read_traceparent(std::string_view text) {
  TraceContext context{.remote = true};
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  if (text.size() < kLength || text[kTraceId - 1] != '-' || text[kSpanId - 1] != '-' ||
      text[kFlags - 1] != '-') {
    return std::nullopt;
  }
  if (!read_hex(text, version) || !read_hex(text.substr(kTraceId), context.trace_id) ||
      !read_hex(text.substr(kSpanId), context.span_id) || !read_hex(text.substr(kFlags), flags)) {
    return std::nullopt;
  }
  if (version[0] == 0xff || is_zero(context.trace_id) || is_zero(context.span_id)) {
    return std::nullopt;
  }
  // What later versions add stands behind the flags.
  if (text.size() > kLength && (version[0] == 0 || text[kLength] != '-')) return std::nullopt;
  context.flags = flags[0] & (kSampled | kRandomId);
  return context;
}

bool is_state_key(std::string_view key) {
  const std::string_view first = key.substr(0, 1);
  return !key.empty() && key.size() <= kMostKeyBytes &&
         (is_lower(first[0]) || is_digit(first[0])) && std::ranges::count(key, '@') <= 1 &&
         std::ranges::all_of(key, [](char c) {
           return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/' ||
                  c == '@';
         });
}

bool is_state_value(std::string_view value) {
  return !value.empty() && value.size() <= kMostValueBytes &&
         std::ranges::all_of(value,
                             [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

// Its members between commas; empty when one of them is malformed.
std::string read_tracestate(const std::vector<std::string_view>& values) {
  std::string state;
  std::set<std::string_view> keys;
  for (std::string_view rest : values) {
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      const std::string_view member = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (member.empty()) continue;
      const std::size_t equals = std::min(member.find('='), member.size());
      const std::string_view key = member.substr(0, equals);
      if (equals == member.size() || !is_state_key(key) ||
          !is_state_value(member.substr(equals + 1)) || !keys.insert(key).second) {
        return {};
      }
      if (!state.empty()) state += ',';
      state += member;
    }
  }
  return keys.size() > kMostMembers ? std::string() : state;
}

}  // namespace

std::optional<TraceContext> read_trace_context(const std::vector<std::string_view>& traceparents,
                                               const std::vector<std::string_view>& tracestates) {
  if (traceparents.size() != 1) return std::nullopt;
  std::optional<TraceContext> context = read_traceparent(trimmed(traceparents.front()));
  if (context) context->state = read_tracestate(tracestates);
  return context;
}

std::string hex(std::span<const std::uint8_t> id) {
  std::string text;
  append_hex(text, id);
  return text;
}

std::string traceparent(const TraceContext& context) {
  std::string text = "00-";
  text.reserve(kLength);
  append_hex(text, context.trace_id);
  text += '-';
  append_hex(text, context.span_id);
  text += '-';
  const std::array<std::uint8_t, 1> flags{
      static_cast<std::uint8_t>(context.flags & (kSampled | kRandomId))};
  append_hex(text, flags);
  return text;
}

}  // namespace maas::trace
