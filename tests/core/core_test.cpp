#include "core/error.hpp"
#include "core/ids.hpp"
#include "core/message.hpp"
#include "core/offload.hpp"
#include "support/run_task.hpp"

#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <thread>

namespace maas {
namespace {

TEST(Ids, AreVersionSevenUuidsThatDifferAndSort) {
  std::set<std::string> seen;
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_id();
    ASSERT_EQ(id.size(), 36u);
    EXPECT_EQ(id[14], '7');
    EXPECT_GT(id, last);
    EXPECT_TRUE(seen.insert(id).second);
    last = id;
  }
}

TEST(Roles, AreReadAsTheyAreWritten) {
  for (const Role role : {Role::user, Role::assistant, Role::system, Role::summary}) {
    EXPECT_EQ(role_from(to_string(role)), role);
  }
  EXPECT_EQ(role_from("User"), std::nullopt);
  EXPECT_EQ(role_from(""), std::nullopt);
}

class OffloadTest : public testing::Test {
 protected:
  ~OffloadTest() override {
    running_.loops.abort();
    pool_.join();
  }
  boost::asio::thread_pool pool_{1};
  test::RunningLoops running_;
};

Task<bool> comes_back(boost::asio::thread_pool& pool) {
  const auto here = std::this_thread::get_id();
  auto where = [] { return std::this_thread::get_id(); };
  const auto there = co_await offload(pool, where);
  co_return here != there&& here == std::this_thread::get_id();
}

TEST_F(OffloadTest, RunsElsewhereAndResumesOnTheLoop) {
  EXPECT_TRUE(running_.run(comes_back(pool_)));
}

TEST_F(OffloadTest, RethrowsWhatTheFunctionThrew) {
  auto fail = []() -> int { throw Error(Errc::conflict, "no"); };
  EXPECT_THROW(running_.run(offload(pool_, fail)), Error);
}

}  // namespace
}  // namespace maas
