#pragma once

#include "core/memory.hpp"
#include "core/time.hpp"
#include "ltm/extraction.hpp"
#include "ltm/memory_store.hpp"
#include "trace/span.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace maas::ltm {

struct AddRequest {
  Scope scope;
  std::vector<SaidMessage> messages;
  Category category = Category::semantic;
  std::string metadata = {};                     // the text of a JSON object; empty: none
  std::optional<std::int64_t> ttl_seconds = {};  // absent: the default; 0: for ever
  std::optional<Timestamp> said_at = {};         // absent: just now
  std::optional<bool> infer = {};  // absent: if there is an LLM; false: messages, verbatim
  trace::Parent parent = {};       // of the spans of what it takes
};

// One memory that an add request led to.
struct Remembered {
  Event event = Event::add;  // none: it was there already
  MemoryPtr memory;          // as it is; a removed one as it was
};

// When what is stored at `from` expires; nullopt for 0 seconds: never.
inline std::optional<Timestamp> expiry(Timestamp from, std::int64_t ttl_seconds) {
  if (ttl_seconds == 0) return std::nullopt;
  return from + std::chrono::seconds(ttl_seconds);
}

}  // namespace maas::ltm
