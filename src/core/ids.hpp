#pragma once

#include <string>

namespace maas {

// A new UUIDv7 in its usual text form: unique, and sorts by the time it was made. Thread-safe.
std::string make_id();

}  // namespace maas
