#pragma once

#include "ltm/mongo_client.hpp"

#include <cstdint>
#include <string>

namespace maas::ltm {

// Ends what an interrupted change of an owner's memories has left, where a server has no
// transactions; whoever calls it holds the owner's lease. `change` is its number.
//
// LeasedSession writes in an order that makes the history tell what is to be done: of a memory that
// is not there, or not of the version that the history tells, the entry goes, for it was never
// acknowledged; a memory that the history tells to be removed is removed. Doing this twice, or
// being interrupted in it, does no harm. Throws MongoError.
void settle(MongoSession& session, const std::string& owner, std::int64_t change);

}  // namespace maas::ltm
