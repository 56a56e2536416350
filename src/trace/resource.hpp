#pragma once

#include "trace/otlp_options.hpp"

#include <cstdint>
#include <string_view>

namespace maas::trace {

// What tells this process from others: what the operator says of it, with its version, its host and
// an id that no other process has. The same whenever it is asked for.
KeyValues process_resource(const KeyValues& told);

// The name of what tells, in traces and metrics.
inline constexpr std::string_view kScopeName = "maas";

// Attributes are texts here; these are whole numbers by the conventions.
bool is_number(std::string_view name);
std::int64_t number_in(std::string_view text);  // 0: there is none

}  // namespace maas::trace
