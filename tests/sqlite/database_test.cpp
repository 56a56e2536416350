#include "sqlite/database.hpp"

#include "core/error.hpp"
#include "support/run_task.hpp"
#include "support/temporary_directory.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace maas::sqlite {
namespace {

constexpr std::string_view kTable = "CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT";
constexpr std::string_view kMigrations[] = {kTable};

int count(Connection& connection) {
  auto& query = connection.statement("SELECT count(*) FROM t");
  query.executeStep();
  return query.getColumn(0).getInt();
}

auto insert(int value) {
  return [value](Connection& connection) {
    auto& statement = connection.statement("INSERT INTO t VALUES(?)");
    statement.bind(1, value);
    return statement.exec();
  };
}

class DatabaseTest : public testing::Test {
 protected:
  ~DatabaseTest() override {
    running_.loops.abort();
    pool_.join();
  }

  std::unique_ptr<Database> open(std::span<const std::string_view> migrations = kMigrations) {
    return std::make_unique<Database>(Options{.file = file()}, migrations, pool_);
  }
  std::filesystem::path file() const { return directory_.path() / "maas.db"; }

  test::TemporaryDirectory directory_;
  boost::asio::thread_pool pool_{2};
  test::RunningLoops running_{2};
};

TEST_F(DatabaseTest, KeepsWhatWasWrittenOverReopening) {
  auto database = open();
  running_.run(database->write(insert(1)));
  database.reset();
  database = open();
  EXPECT_EQ(database->read_here(count), 1);
}

TEST_F(DatabaseTest, ReadsWhatWasWrittenBeforeFromEveryThread) {
  auto database = open();
  for (int i = 0; i < 20; ++i) {
    running_.run(database->write(insert(i)), static_cast<std::size_t>(i % 2));
    EXPECT_EQ(running_.run(database->read(count)), i + 1);
    EXPECT_EQ(database->read_here(count), i + 1);
  }
}

TEST_F(DatabaseTest, UndoesAFailedWriteAloneInItsGroup) {
  auto database = open();
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const int value = t * 100 + i;
        auto twice = [value](Connection& connection) {
          insert(value)(connection);
          if (value % 5 == 0) throw Error(Errc::conflict, "no");
          return true;
        };
        try {
          running_.run(database->write(twice), static_cast<std::size_t>(t % 2));
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Errc::conflict);
          ++failures;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 20);
  EXPECT_EQ(database->read_here(count), 80);
}

TEST_F(DatabaseTest, TurnsWhatSqliteThrowsIntoErrors) {
  auto database = open();
  running_.run(database->write(insert(1)));
  try {
    running_.run(database->write(insert(1)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::internal);  // a broken constraint is our bug
  }
}

TEST_F(DatabaseTest, AppliesOnlyMigrationsThatAreMissing) {
  open().reset();
  const std::string_view more[] = {kTable, "INSERT INTO t VALUES(7)"};
  open(more).reset();
  EXPECT_EQ(open(more)->read_here(count), 1);
}

TEST_F(DatabaseTest, LeavesTheFileAloneWhenAMigrationFails) {
  open().reset();
  const std::string_view broken[] = {kTable,
                                     "INSERT INTO t VALUES(7); INSERT INTO nowhere VALUES(1)"};
  EXPECT_THROW(open(broken), Error);
  EXPECT_EQ(open()->read_here(count), 0);
}

TEST_F(DatabaseTest, RefusesAFileOfANewerSchema) {
  const std::string_view more[] = {kTable, "SELECT 1"};
  open(more).reset();
  try {
    open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("newer version"), std::string::npos);
  }
}

TEST_F(DatabaseTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(file()) << std::string(10'000, 'x');
  EXPECT_THROW(open(), Error);
}

TEST_F(DatabaseTest, CopiesItselfWhileItIsInUse) {
  auto database = open();
  for (int i = 0; i < 50; ++i) running_.run(database->write(insert(i)));
  int pages = 0;
  const auto copy = directory_.path() / "copy.db";
  backup(file(), copy, [&](int, int all) { pages = all; });
  running_.run(database->write(insert(1000)));
  EXPECT_GT(pages, 0);
  Database restored(Options{.file = copy}, kMigrations, pool_);
  EXPECT_EQ(restored.read_here(count), 50);
}

}  // namespace
}  // namespace maas::sqlite
