#pragma once

#include "core/memory.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace maas::ltm {

// Whether nothing of `text`, valid UTF-8, is left to remember or to look for.
bool is_blank(std::string_view text);

// What of a memory is embedded: what was said, without who said it.
std::string said(const Memory& memory);

// A fact is a sentence; what is much longer is a document, or a model that lost its way.
inline constexpr std::size_t kMaxFactBytes = 2000;

// A text in a model's answer as a memory can hold it: valid UTF-8 without white space around it.
// Empty: it is blank. Nullopt: it is no text, or longer than a fact.
std::optional<std::string> fact_text(const boost::json::value& value);

}  // namespace maas::ltm
