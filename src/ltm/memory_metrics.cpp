#include "ltm/memory_metrics.hpp"

#include "core/time.hpp"
#include "trace/metrics.hpp"

#include <chrono>

namespace maas::ltm {
namespace {

using Seconds = std::chrono::duration<double>;

// A memory is found as soon as the store has it.
void count_visible(const Memory& memory) {
  trace::metrics().visible_lag.record(Seconds(now() - memory.updated_at).count());
}

void count_events(std::size_t count, Event event, std::string_view category = {}) {
  if (count == 0) return;
  trace::metrics().memories_written.add(static_cast<double>(count), {to_string(event), category});
}

}  // namespace

void count_remembered(Category category, std::span<const Remembered> remembered) {
  for (const Remembered& each : remembered) {
    count_events(1, each.event, to_string(category));
    if (each.event == Event::add || each.event == Event::update) count_visible(*each.memory);
  }
}

void count_updated(const Memory& memory) {
  count_events(1, Event::update, to_string(memory.category));
  count_visible(memory);
}

void count_removed(std::size_t memories) { count_events(memories, Event::remove); }

void count_expired(std::size_t memories) {
  if (memories > 0) trace::metrics().expired.add(static_cast<double>(memories), {"memories"});
}

void count_search(const SearchTiming& timing) {
  trace::Histogram& searches = trace::metrics().searches;
  if (timing.embed.count() > 0) searches.record(Seconds(timing.embed).count(), {"embed"});
  searches.record(Seconds(timing.search).count(), {"search"});
}

}  // namespace maas::ltm
