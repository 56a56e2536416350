#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::trace {

// A span as other processes know it (W3C Trace Context, level 2).
struct TraceContext {
  std::array<std::uint8_t, 16> trace_id = {};
  std::array<std::uint8_t, 8> span_id = {};
  std::uint8_t flags = 0;  // kSampled, kRandomId
  std::string state = {};  // the tracestate header's value, passed on as it came; empty: none
  bool remote = false;     // it came with a request

  bool operator==(const TraceContext&) const = default;
};
inline constexpr std::uint8_t kSampled = 1;
inline constexpr std::uint8_t kRandomId = 2;

// What a request's headers say, each with all values that were sent. nullopt: no traceparent, more
// than one, or a malformed one. A malformed tracestate is left out as a whole.
std::optional<TraceContext> read_trace_context(const std::vector<std::string_view>& traceparents,
                                               const std::vector<std::string_view>& tracestates);

// As traces and logs show it: hexadecimal digits of lower case.
std::string hex(std::span<const std::uint8_t> id);

// The value of the header traceparent.
std::string traceparent(const TraceContext& context);

}  // namespace maas::trace
