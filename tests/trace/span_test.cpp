#include "support/memory_recorder.hpp"
#include "trace/attributes.hpp"
#include "trace/tracer.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace maas::trace {
namespace {

using Texts = std::vector<std::string>;
using Views = std::vector<std::string_view>;

class Spans : public testing::Test {
 protected:
  Tracer tracer(const TracerOptions& options = {}, bool keeps = true) {
    return Tracer(std::make_unique<MemoryRecorder>(spans_, keeps), options);
  }

  std::list<RecordedSpan> spans_;
};

TEST_F(Spans, BeginBelowTheirParentsAndEndWithTheirOwners) {
  const Tracer tracer = this->tracer();
  Parent parent;
  {
    const Span request = tracer.begin_request("GET /stm/{session_id}", std::nullopt);
    parent = request.parent();
    EXPECT_FALSE(spans_.front().ended);
  }
  EXPECT_TRUE(spans_.front().ended);
  EXPECT_EQ(spans_.front().kind, Kind::server);
  EXPECT_FALSE(spans_.front().parent);
  Span chat = parent.begin(Kind::client, "chat m");
  EXPECT_EQ(spans_.back().name, "chat m");
  EXPECT_EQ(spans_.back().kind, Kind::client);
  EXPECT_EQ(spans_.back().parent, spans_.front().context);
  Span moved = std::move(chat);
  EXPECT_FALSE(spans_.back().ended);
  moved = Span();
  EXPECT_TRUE(spans_.back().ended);
}

TEST_F(Spans, TellWhatTheyAreToldOfEveryType) {
  const Tracer tracer = this->tracer();
  Span span = tracer.begin_request("GET", std::nullopt);
  span.set("text", "said");
  span.set("count", std::size_t{3});
  span.set("share", .5);
  span.set("flag", true);
  span.set("texts", Views{"a", "b"});
  span.rename("GET /health");
  span.fail("timeout", "too late");
  const RecordedSpan& kept = spans_.front();
  EXPECT_EQ(kept.name, "GET /health");
  EXPECT_EQ(std::get<std::string>(kept.attributes.at("text")), "said");
  EXPECT_EQ(std::get<std::int64_t>(kept.attributes.at("count")), 3);
  EXPECT_EQ(std::get<double>(kept.attributes.at("share")), .5);
  EXPECT_EQ(std::get<bool>(kept.attributes.at("flag")), true);
  EXPECT_EQ(std::get<Texts>(kept.attributes.at("texts")), (Texts{"a", "b"}));
  EXPECT_EQ(std::get<std::string>(kept.attributes.at("error.type")), "timeout");
  EXPECT_EQ(kept.failure, "too late");
}

TEST_F(Spans, TellWhatIsKnownOfTheRequestAndSoDoThoseBelow) {
  const Tracer tracer = this->tracer();
  Span request = tracer.begin_request("POST", std::nullopt);
  request.identify({.operation = "ltm.add"});
  request.identify({.operation = "ltm.add", .user = "u-42", .session = "s-7", .agent = "a-1"});
  const Span below = request.parent().begin(Kind::internal, "upsert_memory");
  EXPECT_EQ(below.session(), "s-7");
  for (const RecordedSpan& span : spans_) {
    EXPECT_EQ(std::get<std::string>(span.attributes.at("langfuse.trace.name")), "ltm.add");
    EXPECT_EQ(std::get<Texts>(span.attributes.at("langfuse.trace.tags")), (Texts{"ltm", "add"}));
    EXPECT_EQ(std::get<std::string>(span.attributes.at("user.id")), "u-42");
    EXPECT_EQ(std::get<std::string>(span.attributes.at("session.id")), "s-7");
    EXPECT_EQ(std::get<std::string>(span.attributes.at("langfuse.trace.metadata.agent_id")), "a-1");
  }
}

TEST_F(Spans, LeaveOutWhatIsUnknown) {
  const Tracer tracer = this->tracer();
  Span request = tracer.begin_request("POST", std::nullopt);
  request.identify({.session = "s-7"});
  EXPECT_EQ(spans_.front().attributes.size(), 1u);
}

TEST_F(Spans, KeepTheLimitsOfAttributes) {
  TracerOptions options;
  options.spans = {.max_attributes = 2, .max_value_bytes = 4};
  const Tracer tracer = this->tracer(options);
  Span span = tracer.begin_request("GET", std::nullopt);
  span.set("text", "abc\u00e4\u00f6");  // the fourth byte is half of a character
  span.set("texts", Views{"12345", "1"});
  span.set("third", 3);
  const auto& attributes = spans_.front().attributes;
  EXPECT_EQ(std::get<std::string>(attributes.at("text")), "abc");
  EXPECT_EQ(std::get<Texts>(attributes.at("texts")), (Texts{"1234", "1"}));
  EXPECT_EQ(attributes.size(), 2u);
}

TEST_F(Spans, TellBytesThatAreNoTextPercentEncoded) {
  const Tracer tracer = this->tracer();
  Span span = tracer.begin_request("GET", std::nullopt);
  span.set("path", "/caf\xe9");
  span.set("texts", Views{"\xff"});
  span.fail("_OTHER", "\xc3");
  const auto& attributes = spans_.front().attributes;
  EXPECT_EQ(std::get<std::string>(attributes.at("path")), "/caf%E9");
  EXPECT_EQ(std::get<Texts>(attributes.at("texts")), (Texts{"%FF"}));
  EXPECT_EQ(spans_.front().failure, "%C3");
}

TEST_F(Spans, ContinueACallersTraceAndShowAsARootWhereAsked) {
  const auto caller =
      read_trace_context({"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, {"a=1"});
  for (const bool as_root : {true, false}) {
    TracerOptions options;
    options.remote_is_root = as_root;
    const Tracer tracer = this->tracer(options);
    const Span span = tracer.begin_request("GET", caller);
    EXPECT_EQ(spans_.back().parent, caller);
    EXPECT_EQ(spans_.back().attributes.contains("langfuse.internal.is_app_root"), as_root);
    EXPECT_EQ(spans_.back().attributes.contains("langfuse.internal.as_root"), as_root);
    const auto headers = span.headers();
    ASSERT_EQ(headers.size(), 2u);
    EXPECT_EQ(headers[0].first, "traceparent");
    EXPECT_EQ(headers[0].second, traceparent(spans_.back().context));
    EXPECT_EQ(headers[1], (std::pair<std::string, std::string>("tracestate", "a=1")));
  }
}

TEST_F(Spans, TellUpstreamsNothingWithoutPropagation) {
  TracerOptions options;
  options.spans.propagate = false;
  const Tracer tracer = this->tracer(options);
  EXPECT_TRUE(tracer.begin_request("GET", std::nullopt).headers().empty());
}

TEST_F(Spans, AreOnlyPassedOnWhenTheSamplerLeavesThemOut) {
  TracerOptions options;
  options.spans.capture_content = true;
  const Tracer tracer = this->tracer(options, false);
  Span span = tracer.begin_request("GET", std::nullopt);
  span.set("text", "said");
  EXPECT_FALSE(span);
  EXPECT_FALSE(span.captures_content());
  EXPECT_TRUE(spans_.front().attributes.empty());
  ASSERT_EQ(span.headers().size(), 1u);
  EXPECT_TRUE(span.headers()[0].second.ends_with("-00"));
}

TEST(NoSpan, DoesNothing) {
  const Parent nowhere;
  Span span = nowhere.begin(Kind::client, "chat");
  span.set("name", "value");
  span.identify({.user = "u"});
  span.fail("timeout");
  EXPECT_FALSE(span);
  EXPECT_FALSE(span.parent());
  EXPECT_FALSE(span.captures_content());
  EXPECT_FALSE(nowhere.captures_content());
  EXPECT_TRUE(span.headers().empty());
  EXPECT_TRUE(span.session().empty());
  EXPECT_EQ(make_tracer({}), nullptr);
}

}  // namespace
}  // namespace maas::trace
