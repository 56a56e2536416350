// api: JSON over HTTP. Reads requests, calls one memory, words the reply. Nothing is decided here.
#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace maas::api {

// Text that is not JSON as MaaS takes it.
class JsonSyntaxError : public std::runtime_error {
 public:
  JsonSyntaxError(const std::string& what, std::size_t offset)
      : std::runtime_error(what), offset_(offset) {}
  std::size_t offset() const { return offset_; }  // in bytes

 private:
  std::size_t offset_;
};

// The value of a JSON text, strictly: valid UTF-8, no lone surrogates, no NaN, nothing behind it,
// at most 128 levels deep; and no number that would not survive: integers beyond 64 bits and reals
// beyond a double are errors. Of duplicate keys the last wins. Throws JsonSyntaxError.
boost::json::value parse_json(std::string_view text);

}  // namespace maas::api
