#pragma once

#include "ltm/memory_archive.hpp"

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace maas::ltm {

// The lines of an exported file: JSON, one memory a line, the same bytes for the same memory. The
// first line tells the format, the last one how many memories there are: without it the file was
// cut. Sorted by bytes or words these two stay where they are.
inline constexpr std::string_view kArchiveHead = R"({"maas_export":2})";
inline constexpr int kUnclosedFormat = 1;  // files of this older one have no closing line
inline constexpr std::size_t kMaxArchiveLine = 64u << 20;  // bytes

// What is wrong with a line.
class BadLine : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The format. Throws BadLine for another file's head, telling a newer format.
int archive_format(std::string_view line);

std::string archive_end(std::size_t memories);

// How many memories a closing line tells; none: it is another line.
std::optional<std::size_t> archive_total(std::string_view line);

std::string archive_line(const ArchivedMemory& memory);

// Of a line that archive_line() has made: its beginning, the same bytes in each line of a memory.
struct ArchiveKey {
  std::string_view key = {};  // borrowed from the line; empty: it is no such line
  bool is_gone = false;
};
ArchiveKey archive_key(std::string_view line);

// Throws BadLine for what is no memory that MaaS can have stored.
ArchivedMemory archived_memory(std::string_view line);

}  // namespace maas::ltm
