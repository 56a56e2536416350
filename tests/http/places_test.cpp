#include "http/places.hpp"

#include "core/error.hpp"
#include "support/run_task.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace maas::http {
namespace {

using namespace std::chrono_literals;
using Place = std::optional<Places::Place>;

std::chrono::steady_clock::time_point in_a_minute() {
  return std::chrono::steady_clock::now() + 1min;
}

Task<Place> acquire_soon(Places& places) { return places.acquire(in_a_minute()); }

// Goes to the end of the loop's queue: what was spawned before on it has begun to wait then.
void pass_through(EventLoops& loops, std::size_t loop = 0) {
  boost::asio::post(loops[loop], boost::asio::use_future).get();
}

TEST(Places, AreGivenUntilNoneIsLeftThenInTheOrderOfAsking) {
  test::RunningLoops running;
  Places places(2, 10, "full");
  Place first = running.run(acquire_soon(places));
  Place second = running.run(acquire_soon(places));
  std::vector<int> order;
  auto ask = [&](int who) {
    return boost::asio::co_spawn(running.loops[0], acquire_soon(places),
                                 [&order, who](std::exception_ptr, Place place) {
                                   if (place) order.push_back(who);
                                 });
  };
  ask(1);
  ask(2);
  ask(3);
  pass_through(running.loops);
  EXPECT_EQ(places.waiting(), 3U);
  EXPECT_TRUE(order.empty());
  first.reset();
  // Each gives its place back at once, to the next.
  Place last = running.run(acquire_soon(places));
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_EQ(places.waiting(), 0U);
}

TEST(Places, RefuseAtOnceWhenTheQueueIsFull) {
  test::RunningLoops running;
  Places places(1, 1, "too many wait");
  Place held = running.run(acquire_soon(places));
  auto waiting =
      boost::asio::co_spawn(running.loops[0], acquire_soon(places), boost::asio::use_future);
  try {
    running.run(acquire_soon(places));
    FAIL() << "was given a place";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable);
    EXPECT_STREQ(error.what(), "too many wait");
  }
  held.reset();
  EXPECT_TRUE(waiting.get().has_value());
}

TEST(Places, AreNotGivenAfterTheDeadline) {
  test::RunningLoops running;
  Places places(1, 1, "full");
  Place held = running.run(acquire_soon(places));
  EXPECT_FALSE(running.run(places.acquire(std::chrono::steady_clock::now() + 1ms)).has_value());
  EXPECT_EQ(places.waiting(), 0U);
  held.reset();
  EXPECT_TRUE(running.run(acquire_soon(places)).has_value());
}

TEST(Places, ForgetACancelledWaiter) {
  test::RunningLoops running;
  Places places(1, 2, "full");
  Place held = running.run(acquire_soon(places));
  boost::asio::cancellation_signal signal;
  std::promise<std::exception_ptr> ended;
  boost::asio::co_spawn(
      running.loops[0], acquire_soon(places),
      boost::asio::bind_cancellation_slot(
          signal.slot(), [&ended](std::exception_ptr error, Place) { ended.set_value(error); }));
  auto next =
      boost::asio::co_spawn(running.loops[0], acquire_soon(places), boost::asio::use_future);
  pass_through(running.loops);
  EXPECT_EQ(places.waiting(), 2U);
  boost::asio::post(running.loops[0],
                    [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  const std::exception_ptr error = ended.get_future().get();
  ASSERT_TRUE(error);
  EXPECT_THROW(std::rethrow_exception(error), boost::system::system_error);
  EXPECT_EQ(places.waiting(), 1U);
  held.reset();
  EXPECT_TRUE(next.get().has_value());
}

TEST(Places, GoOnWhenAPlaceAndACancellationComeTogether) {
  test::RunningLoops running;
  Places places(1, 2, "full");
  Place held = running.run(acquire_soon(places));
  boost::asio::cancellation_signal signal;
  std::promise<void> ended;
  boost::asio::co_spawn(
      running.loops[0], acquire_soon(places),
      boost::asio::bind_cancellation_slot(
          signal.slot(), [&ended](std::exception_ptr, Place) { ended.set_value(); }));
  pass_through(running.loops);
  boost::asio::post(running.loops[0], [&] {
    held.reset();
    signal.emit(boost::asio::cancellation_type::terminal);
  });
  ended.get_future().get();
  EXPECT_TRUE(running.run(acquire_soon(places)).has_value());
}

// Holds a place over a turn of the loop; counts how many do so at one time.
Task<> hold_for_a_turn(Places& places, std::atomic<int>& holding, std::atomic<int>& most) {
  const Place place = co_await acquire_soon(places);
  const int now = ++holding;
  int before = most.load();
  while (before < now && !most.compare_exchange_weak(before, now)) {
  }
  co_await boost::asio::post(use_task);
  --holding;
}

TEST(Places, HoldTheirLimitOverManyLoops) {
  test::RunningLoops running(4);
  Places places(3, 1000, "full");
  std::atomic<int> holding = 0;
  std::atomic<int> most = 0;
  std::vector<std::future<void>> ended;
  for (std::size_t i = 0; i < 800; ++i) {
    ended.push_back(boost::asio::co_spawn(
        running.loops[i % 4], hold_for_a_turn(places, holding, most), boost::asio::use_future));
  }
  for (auto& each : ended) each.get();
  EXPECT_LE(most, 3);
  EXPECT_EQ(places.waiting(), 0U);
}

TEST(Places, MayBeDestroyedBeforeThoseThatHoldOrWait) {
  EventLoops loops(2);
  auto places = std::make_unique<Places>(1, 10, "full");
  loops.start();
  Place place = test::run_on(loops[0], acquire_soon(*places));
  for (std::size_t i = 0; i < 4; ++i) {
    boost::asio::co_spawn(loops[i % 2], acquire_soon(*places), boost::asio::detached);
  }
  pass_through(loops, 0);
  pass_through(loops, 1);
  EXPECT_EQ(places->waiting(), 4U);
  loops.abort();
  places.reset();
  place.reset();
}

}  // namespace
}  // namespace maas::http
