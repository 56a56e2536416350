#pragma once

#include "ltm/document_bson.hpp"

#include <string>
#include <vector>

namespace maas::ltm {

// The commands that make the collections of long-term memory and their indexes, and change nothing
// where these are. All are ordinary indexes: any MongoDB-wire server has them. There is none that
// ends memories by itself: it would leave no trace in their history.
std::vector<Document> schema_commands(const std::string& collection);

}  // namespace maas::ltm
