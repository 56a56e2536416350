#pragma once

#include "api/field_errors.hpp"
#include "ltm/filter.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>

namespace maas::api {

// The filter that a JSON value describes:
//   {"AND": […]}  {"OR": […]}  {"NOT": {…}}          AND and OR of filters, NOT of one
//   {"category": "fact"}                             a field equals a value
//   {"metadata.age": {"gte": 18, "lt": 65}}          comparisons; all must hold
// Several keys of one object must all hold; {} matches everything, an empty OR nothing. Adds an
// error for everything that is wrong, each with its place below `location`; then nullopt.
std::optional<ltm::Filter> read_filter(const boost::json::value& value, boost::json::array location,
                                       std::size_t max_conditions, FieldErrors& errors);

}  // namespace maas::api
