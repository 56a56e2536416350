#include "export_file.hpp"

#include "core/error.hpp"
#include "ltm/archive_line.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <optional>
#include <unistd.h>
#include <utility>

namespace maas {
namespace {

namespace fs = std::filesystem;

// Waits until a file, or the names in a folder, are on disk.
void sync(const fs::path& path) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) fail_to_write(path);
  const int failed = ::fsync(opened) == 0 ? 0 : errno;
  ::close(opened);
  // Some file systems of networks keep names without being asked, and refuse to be.
  if (failed == EINVAL && fs::is_directory(path)) return;
  errno = failed;
  if (failed != 0) fail_to_write(path);
}

void sync_folder_of(const fs::path& file) { sync(fs::absolute(file).parent_path()); }

// None: there is no such file.
std::optional<std::string> content_of(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(in), {});
  if (!in) {
    throw Error(Errc::unavailable, file.string() + " can't be read: " + std::strerror(errno));
  }
  return content;
}

}  // namespace

void fail_to_write(const std::string& file) {
  throw Error(Errc::unavailable, file + " can't be written: " + std::strerror(errno) +
                                     "; run the command again to go on");
}

bool ExportedMemories::may_hold(std::string_view key) {
  if (sorted_ < hashes_.size()) std::ranges::sort(hashes_);
  sorted_ = hashes_.size();
  return std::ranges::binary_search(hashes_, std::hash<std::string_view>()(key));
}

ExportFile::ExportFile(fs::path file, const std::string& engine)
    : file_(std::move(file)), part_(file_.string() + ".part"), from_(part_.string() + ".from") {
  const bool is_begun = fs::exists(part_);
  if (is_begun) read_part();
  check_engine(engine);
  if (is_begun) return;
  std::ofstream from(from_, std::ios::binary | std::ios::trunc);
  from << engine << '\n';
  from.close();
  if (!from) fail_to_write(from_);
  sync(from_);
  sync_folder_of(from_);
}

void ExportFile::check_engine(const std::string& engine) const {
  const auto told = content_of(from_);
  if (!told && !fs::exists(part_)) return;
  if (told && *told == engine + '\n') return;
  // Killed while it told that: nothing has been exported.
  if (told && !fs::exists(part_) && (engine + '\n').starts_with(*told)) return;
  const std::string both = part_.string() + " and " + from_.string();
  if (!told) {
    throw Error(Errc::invalid_argument,
                part_.string() + " does not tell the engine that it was begun from (" +
                    from_.string() + " is missing); remove it, and run the command again");
  }
  throw Error(Errc::invalid_argument, part_.string() + " was begun from another engine: " +
                                          told->substr(0, told->find('\n')) + ", not " + engine +
                                          "; go on with the settings of that one, or remove " +
                                          both + " to begin anew");
}

void ExportFile::refuse(const fs::path& in_the_way) const {
  throw Error(Errc::invalid_argument, in_the_way.string() +
                                          " is in the way and was not left by an export; move it "
                                          "elsewhere, or export to another file");
}

// The whole lines of memories that are not gone. Those that are gone come behind all others.
void ExportFile::read_part() {
  std::ifstream in(part_, std::ios::binary);
  std::string line;
  bool has_head = false;
  while (std::getline(in, line) && !in.eof()) {  // at the end: a line that is not whole
    if (!has_head && line != ltm::kArchiveHead) refuse(part_);
    const ltm::ArchiveKey key = ltm::archive_key(line);
    if (has_head && (key.key.empty() || key.is_gone)) return;
    bytes_ += line.size() + 1;
    if (has_head) {
      ++count_;
      last_ = line;
      memories_.add(key.key);
    }
    has_head = true;
  }
  if (in.bad()) {
    throw Error(Errc::unavailable, part_.string() + " can't be read: " + std::strerror(errno));
  }
  if (!has_head && !ltm::kArchiveHead.starts_with(line)) refuse(part_);
}

std::ofstream& ExportFile::open() {
  out_.open(part_, std::ios::binary | std::ios::app);
  if (!out_) fail_to_write(part_);
  return out_;
}

std::ofstream& ExportFile::go_on() {
  fs::resize_file(part_, bytes_);
  return open();
}

std::ofstream& ExportFile::begin() {
  count_ = 0;
  memories_ = {};
  std::ofstream(part_, std::ios::binary | std::ios::trunc).close();
  if (!(open() << ltm::kArchiveHead << '\n').flush()) fail_to_write(part_);
  return out_;
}

std::size_t ExportFile::drop(const std::set<std::string, std::less<>>& keys) {
  out_.close();
  if (!out_) fail_to_write(part_);
  const fs::path kept = part_.string() + ".kept";
  std::ifstream in(part_, std::ios::binary);
  std::ofstream out(kept, std::ios::binary | std::ios::trunc);
  std::size_t dropped = 0;
  for (std::string line; std::getline(in, line);) {
    const ltm::ArchiveKey key = ltm::archive_key(line);
    if (!key.is_gone && keys.contains(key.key)) {
      ++dropped;
    } else {
      out << line << '\n';
    }
  }
  if (in.bad()) {
    throw Error(Errc::unavailable, part_.string() + " can't be read: " + std::strerror(errno));
  }
  out.close();
  if (!out) fail_to_write(kept);
  fs::rename(kept, part_);
  open();
  return dropped;
}

void ExportFile::finish() {
  out_.close();
  if (!out_) fail_to_write(part_);
  sync(part_);
  fs::rename(part_, file_);
  sync_folder_of(file_);
  fs::remove(from_);
}

}  // namespace maas
