#include "core/json_text.hpp"

#include <boost/json/serializer.hpp>

#include <array>

namespace maas {
namespace {

// Through a buffer on the stack, because a serializer of one's own saves an allocation per text.
template <class T>
void append(std::string& out, const T& value) {
  thread_local boost::json::serializer serializer;
  std::array<char, 2048> piece;
  serializer.reset(value);
  while (!serializer.done()) out += serializer.read(piece.data(), piece.size());
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
  append(out, boost::json::string_view(text));
}

void append_json(std::string& out, const boost::json::value& value) { append(out, &value); }

}  // namespace maas
