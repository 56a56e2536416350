#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

namespace maas {

// A file that memories are exported to. Until it is whole it is FILE.part, and FILE.part.from tells
// the engine that it is exported from: an interrupted export is gone on with from that one only.
// Functions throw Error{unavailable} for what can't be written.
class ExportFile {
 public:
  // Opens what an interrupted export has left. Throws Error{invalid_argument} for files that none
  // has left, or one from another engine.
  ExportFile(std::filesystem::path file, const std::string& engine);

  std::size_t count() const { return count_; }            // memories that are there
  const std::string& last_line() const { return last_; }  // of them
  const std::filesystem::path& part() const { return part_; }

  // The file to write to, behind its last whole line.
  std::ofstream& go_on();
  // The same, without a memory.
  std::ofstream& begin();

  // Gives the file its name, when all of it is on disk.
  void finish();

 private:
  void check_engine(const std::string& engine) const;
  void read_part();
  [[noreturn]] void refuse(const std::filesystem::path& in_the_way) const;
  std::ofstream& open();

  std::filesystem::path file_;
  std::filesystem::path part_;
  std::filesystem::path from_;
  std::size_t count_ = 0;
  std::string last_;
  std::uintmax_t bytes_ = 0;  // of the head and the memories
  std::ofstream out_;
};

// Throws Error{unavailable} that tells errno.
[[noreturn]] void fail_to_write(const std::string& file);

}  // namespace maas
