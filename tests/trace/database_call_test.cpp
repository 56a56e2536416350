#include "trace/database_call.hpp"

#include "support/memory_recorder.hpp"
#include "support/run_task.hpp"
#include "trace/attributes.hpp"
#include "trace/metrics.hpp"
#include "trace/tracer.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace maas::trace {
namespace {

class DatabaseCalls : public testing::Test {
 protected:
  // How often such a call was counted in this process.
  static std::uint64_t counted(const std::vector<std::string>& labels) {
    std::uint64_t count = 0;
    for (const Point& point : metrics().database_calls.points()) {
      if (point.labels != labels) continue;
      count += std::accumulate(point.buckets.begin(), point.buckets.end(), std::uint64_t{0});
    }
    return count;
  }

  static std::string text(const RecordedSpan& span, std::string_view name) {
    return std::get<std::string>(span.attributes.at(std::string(name)));
  }

  std::list<RecordedSpan> spans_;
  Tracer tracer_{std::make_unique<MemoryRecorder>(spans_, true), {}};
  Span request_ = tracer_.begin_request("GET", std::nullopt);
};

TEST_F(DatabaseCalls, AreNamedAfterWhatIsDone) {
  {
    DatabaseCall call(request_.parent(), {.system = "mongodb",
                                          .operation = "insert",
                                          .collection = "memories",
                                          .space = "maas",
                                          .host = "db",
                                          .port = 10260});
    call.batched(2);
    call.returned(3);
  }
  const RecordedSpan& span = spans_.back();
  EXPECT_EQ(span.name, "insert memories");
  EXPECT_EQ(span.kind, Kind::client);
  EXPECT_TRUE(span.ended);
  EXPECT_EQ(text(span, attribute::kDatabaseSystem), "mongodb");
  EXPECT_EQ(text(span, attribute::kDatabaseName), "maas");
  EXPECT_EQ(text(span, attribute::kServerAddress), "db");
  EXPECT_EQ(std::get<std::int64_t>(span.attributes.at(std::string(attribute::kServerPort))), 10260);
  EXPECT_EQ(std::get<std::int64_t>(span.attributes.at(std::string(attribute::kDatabaseBatch))), 2);
  EXPECT_EQ(std::get<std::int64_t>(span.attributes.at(std::string(attribute::kReturnedRows))), 3);
}

TEST_F(DatabaseCalls, InThisProcessHaveNoServer) {
  {
    DatabaseCall call(request_.parent(), {.system = "sqlite", .operation = "BATCH"});
    call.batched(1);
  }
  EXPECT_EQ(spans_.back().name, "BATCH");
  EXPECT_EQ(spans_.back().kind, Kind::internal);
  EXPECT_FALSE(spans_.back().attributes.contains(std::string(attribute::kServerAddress)));
  EXPECT_FALSE(spans_.back().attributes.contains(std::string(attribute::kDatabaseBatch)));
}

TEST_F(DatabaseCalls, AreCountedWithoutASpan) {
  const std::vector<std::string> labels{"redis", "PING", "", ""};
  const std::uint64_t before = counted(labels);
  { const DatabaseCall call({}, {.system = "redis", .operation = "PING"}); }
  EXPECT_EQ(counted(labels), before + 1);
}

TEST_F(DatabaseCalls, FailWithTheCodeOfTheDatabase) {
  const auto fail = [this](auto error) {
    DatabaseCall call(request_.parent(), {.system = "redis", .operation = "GET"});
    call.fail(std::make_exception_ptr(error));
  };
  fail(DatabaseError("WRONGTYPE", Error(Errc::internal, "a text", "a detail")));
  EXPECT_EQ(text(spans_.back(), attribute::kErrorType), "WRONGTYPE");
  EXPECT_EQ(text(spans_.back(), attribute::kDatabaseStatus), "WRONGTYPE");
  EXPECT_EQ(counted({"redis", "GET", "", "WRONGTYPE"}), 1u);
  fail(Error(Errc::deadline_exceeded, "too late"));
  EXPECT_EQ(text(spans_.back(), attribute::kErrorType), "timeout");
  EXPECT_FALSE(spans_.back().attributes.contains(std::string(attribute::kDatabaseStatus)));
  fail(std::runtime_error("what a user said"));
  EXPECT_EQ(text(spans_.back(), attribute::kErrorType), "_OTHER");
  EXPECT_EQ(spans_.back().failure, "");
}

Task<int> answer(int value) {
  if (value < 0) throw Error(Errc::unavailable, "away");
  co_return value;
}

TEST_F(DatabaseCalls, HandOnWhatTheyObserve) {
  test::RunningLoops running;
  const Statement statement{.system = "sqlite", .operation = "SELECT", .collection = "messages"};
  const auto tell = [](DatabaseCall& call, int value) {
    call.returned(static_cast<std::size_t>(value));
  };
  EXPECT_EQ(running.run(observed(request_.parent(), statement, answer(7), tell)), 7);
  EXPECT_EQ(
      std::get<std::int64_t>(spans_.back().attributes.at(std::string(attribute::kReturnedRows))),
      7);
  EXPECT_THROW(running.run(observed(request_.parent(), statement, answer(-1), tell)), Error);
  EXPECT_EQ(spans_.back().failure, "away");
}

}  // namespace
}  // namespace maas::trace
