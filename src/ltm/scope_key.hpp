#pragma once

#include "core/memory.hpp"

#include <string>
#include <string_view>

namespace maas::ltm {

// A text that is the same for no two scopes, whatever characters their ids hold.
std::string scope_key(std::string_view tenant, const Scope& scope);

}  // namespace maas::ltm
