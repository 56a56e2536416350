// Lines of a file to be imported: a memory that is taken from one is told by a line that tells the
// same memory again.
#include "fuzz/check.hpp"
#include "ltm/archive_line.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maas;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  try {
    ltm::archive_format(line);
  } catch (const ltm::BadLine&) {
    // Another file.
  }
  try {
    const ltm::ArchivedMemory memory = ltm::archived_memory(line);
    fuzz::check(!memory.tenant.empty() && !memory.memory.id.empty(), "it is somebody's");
    const std::string told = ltm::archive_line(memory);
    fuzz::check(ltm::archive_line(ltm::archived_memory(told)) == told, "a line tells all of it");
    fuzz::check(!ltm::archive_total(line) && !ltm::archive_total(told), "no memory ends a file");
  } catch (const ltm::BadLine&) {
    // No memory.
  }
  return 0;
}
