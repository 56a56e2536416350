#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace maas {

// Appends `text`, valid UTF-8, as a JSON string.
void append_json(std::string& out, std::string_view text);

// Appends the JSON text of `value`.
void append_json(std::string& out, const boost::json::value& value);

}  // namespace maas
