#pragma once

#include "api/fields.hpp"
#include "ltm/long_term_memory.hpp"

#include <cstddef>
#include <vector>

namespace maas::api {

// What one request to long-term memory may ask for.
struct LtmLimits {
  std::size_t batch_size = 50;
  std::size_t messages = 2000;  // of an add, or of all adds of a batch
  std::size_t filter_conditions = 100;
  bool can_infer = false;  // there is an LLM
};

// Each reads one object by the rules of the API; what is wrong is added to the errors.
ltm::AddRequest read_add(const boost::json::value& body, const LtmLimits& limits,
                         FieldErrors& errors);
ltm::SearchRequest read_search(const boost::json::value& body, const LtmLimits& limits,
                               FieldErrors& errors);
// Of the memory with this id.
ltm::UpdateRequest read_update(std::string id, const boost::json::value& body, FieldErrors& errors);

// What the query of a URL says.
Scope scope_parameters(const http::Request& request, FieldErrors& errors);
ltm::ListQuery list_parameters(const http::Request& request, const LtmLimits& limits,
                               FieldErrors& errors);

// Adds an error to `location` when the requests together say more than one request may.
void check_size(const std::vector<ltm::AddRequest>& requests, const LtmLimits& limits,
                const boost::json::array& location, const boost::json::value& input,
                FieldErrors& errors);

}  // namespace maas::api
