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

std::optional<Event> event_from(std::string_view name) {
  for (const Event event : {Event::add, Event::update, Event::remove, Event::none}) {
    if (to_string(event) == name) return event;
  }
  return std::nullopt;
}

}  // namespace maas::ltm
