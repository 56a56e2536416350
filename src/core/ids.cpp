#include "core/ids.hpp"

#include <boost/uuid/time_generator_v7.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace maas {

std::string make_id() {
  thread_local boost::uuids::time_generator_v7 generator;
  const boost::uuids::uuid id = generator();
  std::string text(36, '\0');
  boost::uuids::to_chars(id, text.begin());
  return text;
}

}  // namespace maas
