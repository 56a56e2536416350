#include "trace/metrics.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace maas::trace {
namespace {

using Texts = std::vector<std::string>;

TEST(Counter, AddsUpEachSeriesByItself) {
  Instruments all;
  Counter counter(all, {"maas.tests", "{test}", "Tests", {"maas.outcome"}, {}});
  counter.add(1, {"passed"});
  counter.add(2, {"passed"});
  counter.add(1, {"failed"});
  double passed = 0;
  for (const Point& point : counter.points()) {
    if (point.labels == Texts{"passed"}) passed += point.value;
  }
  EXPECT_EQ(passed, 3);
  EXPECT_EQ(counter.points().size(), 2U);
  EXPECT_EQ(all, Instruments{&counter});
}

TEST(Counter, LosesNothingOfManyThreads) {
  Instruments all;
  Counter counter(all, {"maas.tests", "{test}", "Tests", {"maas.outcome"}, {}});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counter] {
      for (int n = 0; n < 1000; ++n) counter.add(1, {n % 2 == 0 ? "even" : "odd"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Point& point : counter.points()) EXPECT_EQ(point.value, 2000);
}

TEST(Histogram, PutsABoundaryIntoTheBucketBelowIt) {
  Instruments all;
  Histogram histogram(all, {"maas.time", "s", "Time", {}, {1, 2}});
  for (const double value : {.5, 1., 1.5, 2., 3.}) histogram.record(value);
  const std::vector<Point> points = histogram.points();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points.front().buckets, (std::vector<std::uint64_t>{2, 2, 1}));
  EXPECT_EQ(points.front().value, 8);
}

TEST(Reading, IsAskedForAsLongAsItLives) {
  Instruments all;
  Gauge gauge(all, {"maas.queue", "{item}", "What waits", {"maas.queue"}, {}});
  double waiting = 3;
  {
    std::vector<Reading> readings;
    readings.emplace_back(gauge, Labels{"a"}, [&waiting] { return waiting; });
    readings.emplace_back(gauge, Labels{"b"}, [] { return 1.; });
    waiting = 4;
    const std::vector<Point> points = gauge.points();
    ASSERT_EQ(points.size(), 2U);
    EXPECT_EQ(points.front().labels, Texts{"a"});
    EXPECT_EQ(points.front().value, 4);
  }
  EXPECT_TRUE(gauge.points().empty());
}

class PrometheusText : public testing::Test {
 protected:
  std::string text(const std::vector<std::pair<std::string, std::string>>& resource = {}) const {
    return prometheus_text(metrics_, resource);
  }

  Metrics metrics_;
};

TEST_F(PrometheusText, NamesUnitsAndLeavesOutEmptyLabels) {
  metrics_.http_requests.record(.02, {"GET", "http", "", "404", ""});
  metrics_.memories_written.add(2, {"ADD", "fact"});
  const std::string told = text();
  EXPECT_NE(told.find("# TYPE http_server_request_duration_seconds histogram\n"), told.npos);
  EXPECT_NE(told.find("http_server_request_duration_seconds_bucket{http_request_method=\"GET\","
                      "url_scheme=\"http\",http_response_status_code=\"404\",le=\"0.025\"} 1\n"),
            told.npos);
  EXPECT_NE(told.find("le=\"+Inf\"} 1\n"), told.npos);
  EXPECT_NE(
      told.find("maas_ltm_memories_written_total{maas_event=\"ADD\",maas_category=\"fact\"} 2\n"),
      told.npos);
  EXPECT_EQ(told.find("http_route"), told.npos);
}

TEST_F(PrometheusText, TellsOfTheProcessWhatPrometheusCanRead) {
  const std::string told = text({{"service.name", "a \"quoted\"\nname"},
                                 {"service-name", "a label's name has no '-'"},
                                 {"service_name", "the same label"},
                                 {"0.first", "no digit first"},
                                 {"broken", "\xff"}});
  EXPECT_NE(told.find("service_name=\"a \\\"quoted\\\"\\nname\""), told.npos);
  EXPECT_EQ(told.find("the same label"), told.npos);
  EXPECT_NE(told.find("_0_first=\"no digit first\""), told.npos);
  EXPECT_EQ(told.find("\xff"), told.npos);
}

}  // namespace
}  // namespace maas::trace
