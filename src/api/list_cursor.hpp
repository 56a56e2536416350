#pragma once

#include "ltm/memory_store.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace maas::api {

// A position in a listing as clients hand it back, of characters that need no escape in a URL.
std::string to_cursor(const ltm::ListPosition& position);

// nullopt: not one of to_cursor().
std::optional<ltm::ListPosition> from_cursor(std::string_view cursor);

}  // namespace maas::api
