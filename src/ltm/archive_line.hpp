#pragma once

#include "ltm/memory_archive.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace maas::ltm {

// The lines of an exported file: JSON, one memory a line, the same bytes for the same memory. The
// first line tells the format.
inline constexpr std::string_view kArchiveHead = R"({"maas_export":1})";
inline constexpr std::size_t kMaxArchiveLine = 64u << 20;  // bytes

// What is wrong with a line.
class BadLine : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws BadLine for another file's head, telling a newer format.
void check_archive_head(std::string_view line);

std::string archive_line(const ArchivedMemory& memory);

// Throws BadLine for what is no memory that MaaS can have stored.
ArchivedMemory archived_memory(std::string_view line);

}  // namespace maas::ltm
