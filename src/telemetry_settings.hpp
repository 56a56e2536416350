#pragma once

#include "settings.hpp"

#include <vector>

namespace maas {

// The lines of the settings table about traces: OpenTelemetry's own names, with its rule that a
// value which isn't understood is warned of and ignored.
std::vector<Setting> telemetry_settings();

// What follows from several of them: where traces go, and as which service.
void complete_telemetry(Config& config);

}  // namespace maas
