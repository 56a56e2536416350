#pragma once

#include "trace/otlp_options.hpp"

namespace maas::trace {

// What tells this process from others: what the operator says of it, with its version, its host and
// an id that no other process has. The same whenever it is asked for.
KeyValues process_resource(const KeyValues& told);

}  // namespace maas::trace
