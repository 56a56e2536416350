#include "trace/trace_context.hpp"

#include <gtest/gtest.h>

namespace maas::trace {
namespace {

constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kSpan = "00f067aa0ba902b7";

std::string header(std::string_view version, std::string_view flags, std::string_view rest = "") {
  std::string text(version);
  text.append("-").append(kTrace).append("-").append(kSpan).append("-").append(flags);
  return text.append(rest);
}

std::optional<TraceContext> read(std::string_view traceparent,
                                 const std::vector<std::string_view>& states = {}) {
  return read_trace_context({traceparent}, states);
}

TEST(TraceContext, ReadsAndWritesWhatAnotherProcessSays) {
  struct Case {
    std::string said;
    std::string passed_on;
  };
  const Case cases[] = {
      {header("00", "01"), header("00", "01")},
      {header("00", "00"), header("00", "00")},
      {header("00", "03"), header("00", "03")},
      {header("00", "ff"), header("00", "03")},  // flags that are not known are not passed on
      {"  " + header("00", "01") + "\t", header("00", "01")},
      {header("01", "01"), header("00", "01")},  // a later version goes on as the one known here
      {header("cc", "01", "-what-the-future-adds"), header("00", "01")},
      {header("cc", "01", "-"), header("00", "01")},
  };
  for (const auto& [said, passed_on] : cases) {
    const auto context = read(said);
    ASSERT_TRUE(context) << said;
    EXPECT_EQ(traceparent(*context), passed_on) << said;
    EXPECT_TRUE(context->remote) << said;
  }
}

TEST(TraceContext, RefusesWhatIsMalformed) {
  const std::string whole = header("00", "01");
  std::string upper = whole, foreign = whole, no_trace = whole, no_span = whole;
  upper[5] = 'F';
  foreign[20] = 'g';
  no_trace.replace(3, 32, std::string(32, '0'));
  no_span.replace(36, 16, std::string(16, '0'));
  std::string wrong_dashes = whole;
  wrong_dashes[35] = '_';
  const std::string cases[] = {"",
                               "00",
                               header("ff", "01"),
                               header("0g", "01"),
                               header("00", "0A"),
                               header("00", "0"),
                               header("00", "01", "-"),
                               header("00", "01", "-more"),
                               header("01", "01", "more"),
                               whole.substr(1),
                               upper,
                               foreign,
                               no_trace,
                               no_span,
                               wrong_dashes};
  for (const std::string& said : cases) EXPECT_FALSE(read(said)) << said;
}

TEST(TraceContext, IsUnknownWithoutExactlyOneTraceparent) {
  const std::string one = header("00", "01");
  EXPECT_FALSE(read_trace_context({}, {"a=1"}));
  EXPECT_FALSE(read_trace_context({one, one}, {}));
}

TEST(TraceContext, PassesTheStateOnOrLeavesItOutAsAWhole) {
  struct Case {
    std::vector<std::string_view> said;
    std::string passed_on;
  };
  std::string most, more, long_key(256, 'k'), long_value(256, 'v');
  for (int i = 0; i < 32; ++i) most += (i ? ",k" : "k") + std::to_string(i) + "=v";
  more = most + ",last=v";
  const std::string longest = long_key + "=" + long_value;
  const std::string key_too_long = "k" + longest, value_too_long = longest + "v";
  const Case cases[] = {
      {{}, ""},
      {{"congo=t61rcWkgMzE"}, "congo=t61rcWkgMzE"},
      {{"a=1 , b=2\t", "", "c=3"}, "a=1,b=2,c=3"},
      {{"a=1,,b=2,"}, "a=1,b=2"},
      {{"tenant@system=v w"}, "tenant@system=v w"},
      {{"1st=v"}, "1st=v"},
      {{most}, most},
      {{more}, ""},
      {{longest}, longest},
      {{key_too_long}, ""},
      {{value_too_long}, ""},
      {{"a=1,a=2"}, ""},
      {{"a=1", "a=2"}, ""},
      {{"A=1"}, ""},
      {{"a=1,b"}, ""},
      {{"a=1,=2"}, ""},
      {{"a="}, ""},
      {{"a=1=2"}, ""},
      {{"a=\x01"}, ""},
      {{"a@b@c=1"}, ""},
  };
  for (const auto& [said, passed_on] : cases) {
    const auto context = read(header("00", "01"), said);
    ASSERT_TRUE(context);
    EXPECT_EQ(context->state, passed_on);
  }
}

}  // namespace
}  // namespace maas::trace
