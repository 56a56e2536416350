#pragma once

#include "core/memory.hpp"
#include "llm/chat_client.hpp"
#include "ltm/extraction.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace maas::ltm {

// What a model says is to be done with one memory, or with a fact.
struct Decision {
  enum class Kind { add, update, remove, none };
  Kind kind = Kind::none;
  std::size_t memory = 0;  // index into the memories that were shown; not of an addition
  std::string text = {};   // of an addition or update: what is to be remembered

  bool operator==(const Decision&) const = default;
};

// Asks what `facts` mean for `memories`. The model sees the memories' indices, never their ids, so
// that it can't name a memory that it wasn't shown. Pure.
llm::ChatRequest reconciliation_request(std::span<const MemoryPtr> memories,
                                        std::span<const std::string> facts);

// The decisions of {"memory": [{"id", "text", "event"}]}: each memory is changed at most once, only
// memories that were shown are, no text is blank. What asks for nothing is left out, but for
// memories that are said to hold a fact already.
Readout<std::vector<Decision>> decisions_in(const boost::json::object& answer, std::size_t memories,
                                            std::size_t facts);

}  // namespace maas::ltm
