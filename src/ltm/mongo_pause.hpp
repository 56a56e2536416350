#pragma once

namespace maas::ltm {

// Sleeps before the next attempt at what others were faster in: longer from attempt to attempt, up
// to a bound, and not the same for two who are in each other's way.
void pause_after(int attempt);

}  // namespace maas::ltm
