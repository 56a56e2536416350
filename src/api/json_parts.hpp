#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace maas::api {

// Replies are put together as text from parts that the JSON library escaped: what the engines hand
// out passes through without becoming a tree of values first. These append such parts.

void append_integer(std::string& out, std::int64_t number);
void append_number(std::string& out, double number);  // finite

// Seconds since the epoch with all six digits of the microseconds.
void append_seconds(std::string& out, Timestamp time);

// A JSON string; null for an empty text.
void append_text_or_null(std::string& out, std::string_view text);

}  // namespace maas::api
