#pragma once

#include "api/ltm_fields.hpp"
#include "core/task.hpp"
#include "http/types.hpp"
#include "ltm/long_term_memory.hpp"

namespace maas::api {

// The handlers of batches: one bad item never fails the others.
Task<http::Response> add_batch(ltm::LongTermMemory& memory, const LtmLimits& limits,
                               const http::Request& request);
Task<http::Response> search_batch(ltm::LongTermMemory& memory, const LtmLimits& limits,
                                  const http::Request& request);
Task<http::Response> delete_batch(ltm::LongTermMemory& memory, const LtmLimits& limits,
                                  const http::Request& request);

}  // namespace maas::api
