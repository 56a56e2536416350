#include "commands.hpp"
#include "core/error.hpp"
#include "export_file.hpp"
#include "ltm/archive_line.hpp"
#include "ltm/memory_archive.hpp"
#include "ltm/memory_store_sqlite.hpp"
#include "models.hpp"
#include "progress.hpp"
#include "service.hpp"
#include "sqlite/database.hpp"
#include "stm/message_store.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <thread>
#include <unistd.h>

namespace maas {
namespace {

constexpr std::size_t kAtOnce = 100;
// MongoDB ends a transaction that nobody goes on with after a minute.
constexpr std::chrono::seconds kPatience{120};
constexpr std::chrono::seconds kPause{1};

// The long-term memory that is configured, as a whole.
class Archive {
 public:
  explicit Archive(const Config& config) : loops_(1), models_(config, loops_) {
    ltm::VectorSpace space;
    if (const llm::Embedder* embedder = models_.embedder()) {
      space = {std::string(embedder->model()), embedder->dims()};
    }
    if (!config.mongo.uri.empty()) {
      archive_ = ltm::make_mongo_memory_archive(config.mongo, std::move(space));
      return;
    }
    const std::string_view migrations[] = {stm::kSqliteSchema, ltm::kSqliteSchema};
    database_ = std::make_unique<sqlite::Database>(
        sqlite::Options{config.database_file(), config.sqlite_synchronous}, migrations, pool_);
    archive_ = ltm::make_sqlite_memory_archive(*database_, std::move(space));
  }

  ltm::MemoryArchive* operator->() { return archive_.get(); }

 private:
  EventLoops loops_;
  Models models_;
  boost::asio::thread_pool pool_{1};
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<ltm::MemoryArchive> archive_;
};

// Which memories an export holds, without secrets.
std::string engine_of(const Config& config) {
  if (config.mongo.uri.empty()) {
    return "embedded database " + std::filesystem::canonical(config.database_file()).string();
  }
  return "MongoDB " + ltm::mongo_hosts(config.mongo) + ", database " + config.mongo.database +
         ", collection " + config.mongo.collection;
}

// Where an export goes on; none: what is there is not what this engine has written.
std::optional<ltm::ArchivePosition> position_behind(Archive& archive, const std::string& line) {
  try {
    return archive->position_of(ltm::archived_memory(line));
  } catch (const ltm::BadLine&) {
    return std::nullopt;
  }
}

// `file`: what memories are exported to, if not to a pipe.
std::size_t write_all(Archive& archive, ltm::ArchivePosition position, std::ostream& out,
                      ExportFile* file) {
  const std::string name = file ? file->part().string() : "standard output";
  Progress progress("exported");
  std::size_t count = file ? file->count() : 0;
  std::set<std::string, std::less<>> removed_since;
  while (true) {
    ltm::ArchivePart part = archive->read(position, kAtOnce);
    if (part.memories.empty()) break;
    for (const ltm::ArchivedMemory& memory : part.memories) {
      const std::string line = ltm::archive_line(memory);
      out << line << '\n';
      if (!file) continue;
      const std::string_view key = ltm::archive_key(line).key;
      if (!memory.is_gone) {
        file->memories().add(key);
      } else if (file->memories().may_hold(key)) {
        removed_since.emplace(key);
      }
    }
    if (!out.flush()) fail_to_write(name);
    position = part.last;
    progress.tell(count += part.memories.size());
  }
  progress.end();
  if (!removed_since.empty()) count -= file->drop(removed_since);
  out << ltm::archive_end(count) << '\n';
  if (!out.flush()) fail_to_write(name);
  return count;
}

[[noreturn]] void refuse_line(const std::string& file, std::size_t number, const char* what) {
  throw Error(Errc::invalid_argument, file + ", line " + std::to_string(number) + ": " + what +
                                          "; the lines before it are stored, repair it and run the "
                                          "command again");
}

[[noreturn]] void refuse_cut_file(const std::string& file, std::size_t count) {
  throw Error(
      Errc::invalid_argument,
      file +
          " is not whole: it ends without its closing line, since its export did not "
          "finish or it was cut on the way; the " +
          std::to_string(count) +
          " memories before that are stored. Finish the export by running it again, or copy "
          "the file anew, and import it again: what is stored is not stored twice");
}

// The closing line tells another number than there were memories.
[[noreturn]] void refuse_changed_file(const std::string& file, std::size_t count,
                                      std::size_t total) {
  throw Error(Errc::invalid_argument,
              file + " is not as it was exported: its closing line tells " + std::to_string(total) +
                  " memories, " + std::to_string(count) +
                  " are there and are stored. Export or copy it anew and import it again; if the "
                  "file was edited on purpose, correct the number");
}

// A line without its end; false: there is none left. Throws BadLine.
bool read_line(std::istream& in, std::string& line) {
  line.clear();
  for (char each = 0; in.get(each);) {
    if (each == '\n') return true;
    if (line.size() == ltm::kMaxArchiveLine) throw ltm::BadLine("it is longer than 64 MiB");
    line += each;
  }
  if (in.bad()) throw ltm::BadLine("it can't be read");
  return !line.empty();
}

// Waits for a server that is away, or for what a process that was killed holds up there.
ltm::Imported write_patiently(Archive& archive, const std::vector<ltm::ArchivedMemory>& memories) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    try {
      return archive->write(memories);
    } catch (const Error& error) {
      if (error.code() != Errc::unavailable || std::chrono::steady_clock::now() > end) throw;
      std::fprintf(stderr, "waiting: %s\n", error.what());
    }
    std::this_thread::sleep_for(kPause);
  }
}

void add(ltm::Imported& all, const ltm::Imported& part) {
  all.stored += part.stored;
  all.known += part.known;
  all.newer += part.newer;
  all.kept += part.kept;
  all.unvectored += part.unvectored;
}

ltm::Imported read_all(Archive& archive, std::istream& in, const std::string& file) {
  Progress progress("read");
  ltm::Imported imported;
  std::vector<ltm::ArchivedMemory> memories;
  std::string line;
  const auto store = [&] {
    add(imported, write_patiently(archive, memories));
    memories.clear();
  };
  std::size_t number = 1;
  std::size_t count = 0;
  bool is_closed_by_a_line = false;
  std::optional<std::size_t> total;
  try {
    if (!read_line(in, line)) throw ltm::BadLine("the file is empty");
    is_closed_by_a_line = ltm::archive_format(line) != ltm::kUnclosedFormat;
    for (++number; read_line(in, line); ++number) {
      if (total) throw ltm::BadLine("it is behind the closing line: import files one by one");
      if (is_closed_by_a_line) total = ltm::archive_total(line);
      if (total) continue;
      memories.push_back(ltm::archived_memory(line));
      progress.tell(++count);
      if (memories.size() == kAtOnce) store();
    }
  } catch (const ltm::BadLine& error) {
    store();
    // What is wrong with the end of a line that has none is that the rest is missing.
    if (in.eof() && is_closed_by_a_line && !total) refuse_cut_file(file, count);
    refuse_line(file, number, error.what());
  }
  store();
  progress.end();
  if (is_closed_by_a_line && !total) refuse_cut_file(file, count);
  if (total && *total != count) refuse_changed_file(file, count, *total);
  if (!is_closed_by_a_line) {
    std::fprintf(stderr, "%s has the format 1, which can't tell whether it is whole\n",
                 file.c_str());
  }
  return imported;
}

}  // namespace

int export_memories(const Config& config, const std::string& file) {
  if (file != "-" && std::filesystem::exists(file)) {
    throw Error(Errc::invalid_argument, file + " exists already; name a new file");
  }
  if (config.mongo.uri.empty() && !std::filesystem::exists(config.database_file())) {
    throw Error(Errc::invalid_argument, "there is no database " + config.database_file().string() +
                                            "; name its directory with --data-dir");
  }
  Archive archive(config);
  if (file == "-") {
    std::cout << ltm::kArchiveHead << '\n';
    const std::size_t count = write_all(archive, {}, std::cout, nullptr);
    std::fprintf(stderr, "%zu memories exported\n", count);  // stdout holds the memories alone
    return 0;
  }
  ExportFile exported(file, engine_of(config));
  std::optional<ltm::ArchivePosition> position;
  if (exported.count() > 0) position = position_behind(archive, exported.last_line());
  if (position) {
    std::fprintf(stderr, "going on behind the %zu memories in %s\n", exported.count(),
                 exported.part().c_str());
  }
  std::ofstream& out = position ? exported.go_on() : exported.begin();
  const std::size_t count =
      write_all(archive, position.value_or(ltm::ArchivePosition{}), out, &exported);
  exported.finish();
  std::printf("%zu memories exported to %s; 'maas import' stores them elsewhere\n", count,
              file.c_str());
  return 0;
}

int import_memories(const Config& config, const std::string& file) {
  std::optional<DataDirectoryLock> lock;
  if (config.mongo.uri.empty()) lock.emplace(config.data_dir);
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened) {
      throw Error(Errc::invalid_argument, file + " can't be read: " + std::strerror(errno));
    }
  }
  Archive archive(config);
  std::istream& in = file == "-" ? std::cin : opened;
  const ltm::Imported imported = read_all(archive, in, file == "-" ? "standard input" : file);
  std::printf("%zu memories imported, %zu were there already\n", imported.stored, imported.known);
  if (imported.newer > 0) {
    std::printf(
        "%zu are newer in the file, changed or removed since: import changes nothing that is "
        "there; "
        "to have them as in the file, import it into an empty engine, of another --data-dir or "
        "MONGODB_COLLECTION_NAME\n",
        imported.newer);
  }
  if (imported.kept > 0) {
    std::printf("%zu are newer there, changed or removed since: they were left as they are\n",
                imported.kept);
  }
  if (imported.unvectored > 0) {
    std::printf("%zu have no vector of the embedding model in use: run 'maas reembed'\n",
                imported.unvectored);
  }
  return 0;
}

}  // namespace maas
