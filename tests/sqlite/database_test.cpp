#include "sqlite/database.hpp"

#include "core/error.hpp"
#include "support/run_task.hpp"
#include "support/temporary_directory.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <numeric>
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

TEST_F(DatabaseTest, AnnouncesWritesInTheOrderOfTheirCommitsBeforeTheyResume) {
  auto database = open();
  int next = 0;                // on the writer thread alone
  std::vector<int> announced;  // the same
  std::atomic<std::size_t> announcements = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        int made = 0;
        auto change = [&](Connection& connection) {
          made = next++;
          return insert(made)(connection);
        };
        std::size_t before = 0;
        auto committed = [&]() noexcept {
          announced.push_back(made);
          EXPECT_GT(database->read_here(count), made);  // the commit is over
          before = ++announcements;
        };
        running_.run(database->write(change, committed), static_cast<std::size_t>(t % 2));
        EXPECT_GT(before, 0u);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(announced, expected);
}

TEST_F(DatabaseTest, AnnouncesNoWriteThatFailed) {
  auto database = open();
  int announced = 0;
  auto committed = [&announced]() noexcept { ++announced; };
  auto refuse = [](Connection& connection) -> int {
    insert(1)(connection);
    throw Error(Errc::conflict, "no");
  };
  EXPECT_THROW(running_.run(database->write(refuse, committed)), Error);
  // A reference that leads nowhere is found when the transaction is to be committed.
  running_.run(database->write([](Connection& connection) {
    connection.execute(
        "CREATE TABLE reference(a INTEGER REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED) STRICT");
    return true;
  }));
  auto dangle = [](Connection& connection) {
    return connection.statement("INSERT INTO reference VALUES(7)").exec();
  };
  EXPECT_THROW(running_.run(database->write(dangle, committed)), Error);
  EXPECT_EQ(announced, 0);
  running_.run(database->write(insert(2), committed));
  EXPECT_EQ(announced, 1);
  EXPECT_EQ(database->read_here(count), 1);
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
