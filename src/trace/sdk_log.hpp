#pragma once

#include <functional>
#include <string_view>

namespace maas::trace {

// Calls `told` with the warnings and errors of the OpenTelemetry SDK, of all signals, from any
// thread and for as long as the process lives.
void listen_to_sdk(std::function<void(std::string_view)> told);

}  // namespace maas::trace
