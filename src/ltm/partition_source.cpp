#include "ltm/partition_source.hpp"

#include <string>

namespace maas::ltm {

TooManyMemories::TooManyMemories(std::size_t limit)
    : Error(Errc::unavailable, "The scope holds more memories than a search may look at, " +
                                   std::to_string(limit) +
                                   ": narrow the scope, or raise MAAS_EXACT_SCAN_LIMIT") {}

}  // namespace maas::ltm
