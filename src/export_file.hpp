#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace maas {

// The memories whose lines stand in a file, as 8 bytes each: another may be taken for one of them.
class ExportedMemories {
 public:
  void add(std::string_view key) { hashes_.push_back(std::hash<std::string_view>()(key)); }
  bool may_hold(std::string_view key);

 private:
  std::vector<std::size_t> hashes_;
  std::size_t sorted_ = 0;
};

// A file that memories are exported to. Until it is whole it is FILE.part, and FILE.part.from tells
// the engine that it is exported from: an interrupted export is gone on with from that one only.
// Functions throw Error{unavailable} for what can't be written.
class ExportFile {
 public:
  // Opens what an interrupted export has left. Throws Error{invalid_argument} for files that none
  // has left, or one from another engine.
  ExportFile(std::filesystem::path file, const std::string& engine);

  // Memories that are there, without those that are gone: which these are is asked again, since
  // more may have been removed.
  std::size_t count() const { return count_; }
  const std::string& last_line() const { return last_; }  // of them
  const std::filesystem::path& part() const { return part_; }

  // The file to write to, behind its last whole line.
  std::ofstream& go_on();
  // The same, without a memory.
  std::ofstream& begin();

  // Memories that are there; those that are written have to be added.
  ExportedMemories& memories() { return memories_; }

  // Takes out the lines of memories that have been removed since these were written; their number.
  std::size_t drop(const std::set<std::string, std::less<>>& keys);

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
  ExportedMemories memories_;
  std::ofstream out_;
};

// Throws Error{unavailable} that tells errno.
[[noreturn]] void fail_to_write(const std::string& file);

}  // namespace maas
