#pragma once

#include "ltm/memory_store.hpp"

#include <memory>

namespace maas::ltm {

// A store in this process whose calls have spans and are measured. The embedded engine has no
// driver that would tell of them.
std::unique_ptr<MemoryStore> observe(std::unique_ptr<MemoryStore> store);

}  // namespace maas::ltm
