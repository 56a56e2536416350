#pragma once

#include <string>
#include <string_view>

namespace maas::llm {

// `said` without what it repeats of the texts of `request`, which is JSON: providers quote what
// they refuse, and nobody's words belong into a log. Runs of eight bytes and more become "…";
// shorter ones are of any text.
std::string without_echo(std::string_view said, std::string_view request);

}  // namespace maas::llm
