#pragma once

#include "ltm/long_term_memory.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::api {

// Long-term memory as the API shows it. Each appends one JSON value.

// A memory by itself: without score and event.
void append_memory(std::string& out, const Memory& memory);

// What an add request led to: the first result's fields, and all results.
void append_remembered(std::string& out, std::span<const ltm::Remembered> remembered);

// The results of a search; with explanations and the time it took if they were asked for.
void append_found(std::string& out, const ltm::Found& found, bool explain);

void append_page(std::string& out, const ltm::Page& page);

void append_history(std::string& out, std::span<const ltm::HistoryEntry> entries);

// The confirmation that the memory of this id is gone.
void append_deleted(std::string& out, std::string_view id);

}  // namespace maas::api
