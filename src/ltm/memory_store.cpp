#include "ltm/memory_store.hpp"

namespace maas::ltm {

std::string_view to_string(Event event) {
  switch (event) {
    case Event::add:
      return "ADD";
    case Event::update:
      return "UPDATE";
    case Event::remove:
      return "DELETE";
    case Event::none:
      return "NOOP";
  }
  return "NOOP";
}

}  // namespace maas::ltm
