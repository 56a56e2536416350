#include "core/iso8601.hpp"

#include <gtest/gtest.h>

#include <random>

namespace maas {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

Timestamp at(std::int64_t micros) { return Timestamp(microseconds(micros)); }

TEST(ParseTime, TakesEveryFormThatTheHeaderNames) {
  constexpr std::int64_t kSecond = 1'000'000;
  constexpr std::int64_t kWhole = 1'767'323'045 * kSecond;  // 2026-01-02T03:04:05Z
  const std::pair<const char*, std::int64_t> cases[] = {
      {"2026-01-02T03:04:05Z", kWhole},
      {"2026-01-02t03:04:05z", kWhole},
      {"2026-01-02 03:04:05", kWhole},
      {"2026-01-02T03:04:05+00:00", kWhole},
      {"2026-01-02T03:04:05-00:00", kWhole},
      {"2026-01-02T04:04:05+01:00", kWhole},
      {"2026-01-02T04:04:05+0100", kWhole},
      {"2026-01-02T04:04:05+01", kWhole},
      {"2026-01-01T21:34:05-05:30", kWhole},
      {"2026-01-01T21:34:05-0530", kWhole},
      {"2026-01-03T03:03:05+23:59", kWhole},
      {"2026-01-02T03:04Z", kWhole - 5 * kSecond},
      {"2026-01-02", kWhole - (3 * 3600 + 4 * 60 + 5) * kSecond},
      {"2026-01-02T03:04:05.6Z", kWhole + 600'000},
      {"2026-01-02T03:04:05,6Z", kWhole + 600'000},
      {"2026-01-02T03:04:05.678901", kWhole + 678'901},
      {"2026-01-02T03:04:05.000001+00:00", kWhole + 1},
      {"2026-01-02T03:04:05.678901999Z", kWhole + 678'901},
      {"2026-01-02T03:04:05.000000Z", kWhole},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"2024-02-29", 1'709'164'800 * kSecond},
      {"2000-02-29", 951'782'400 * kSecond},
      {"0001-01-01T00:00:00Z", -62'135'596'800 * kSecond},
      {"9999-12-31T23:59:59.999999Z", 253'402'300'800 * kSecond - 1},
  };
  for (const auto& [text, micros] : cases) {
    EXPECT_EQ(parse_time(text), at(micros)) << text;
  }
}

TEST(ParseTime, RefusesWhatIsNoSuchText) {
  for (const char* text : {"",
                           " ",
                           "soon",
                           "2026",
                           "2026-01",
                           "20260102",
                           "2026-1-2",
                           "2026-01-2",
                           "26-01-02",
                           "02026-01-02",
                           "+2026-01-02",
                           "-026-01-02",
                           "2026/01/02",
                           "2026-01-02T",
                           "2026-01-02 ",
                           " 2026-01-02",
                           "2026-01-02Z",
                           "2026-01-02+01:00",
                           "2026-01-02T03",
                           "2026-01-02T03Z",
                           "2026-01-02T0304",
                           "2026-01-02T3:04:05",
                           "2026-01-02T03:4:05",
                           "2026-01-02T03:04:5",
                           "2026-01-02T03:04:",
                           "2026-01-02T03:04:Z",
                           "2026-01-02T03:04.5",
                           "2026-01-02T03:04:05.",
                           "2026-01-02T03:04:05.Z",
                           "2026-01-02T03:04:05.1234567890Z",
                           "2026-01-02T03:04:05.-1Z",
                           "2026-01-02T03:04:05 Z",
                           "2026-01-02T03:04:05ZZ",
                           "2026-01-02T03:04:05Z ",
                           "2026-01-02T03:04:05+",
                           "2026-01-02T03:04:05+1",
                           "2026-01-02T03:04:05+1:00",
                           "2026-01-02T03:04:05+01:",
                           "2026-01-02T03:04:05+01:0",
                           "2026-01-02T03:04:05+010",
                           "2026-01-02T03:04:05+01:000",
                           "2026-01-02T03:04:05+01:00:00",
                           "2026-01-02T03:04:05+-1:00",
                           "2026-01-02T03:04:05UTC",
                           "2026-01-02T03:04:05+01:00Z",
                           "2026-01-02TT03:04:05",
                           "2026-01-02_03:04:05",
                           "2026-01-0x",
                           "2026-01-02T03:04:0x"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_time(std::string_view("2026-01-02\0", 11)), std::nullopt);
}

TEST(ParseTime, RefusesWhatNoCalendarAndNoClockShows) {
  for (const char* text :
       {"2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-29",
        "1900-02-29", "2024-02-30", "0000-01-01", "2026-01-02T24:00:00Z", "2026-01-02T23:60:00Z",
        "2026-01-02T23:59:60Z", "2016-12-31T23:59:60Z", "2026-01-02T23:59:99Z",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "2026-01-02T03:04:05-99:00"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(ParseTime, RefusesWhatAnOffsetMovesOutOfTheYearsOneTo9999) {
  EXPECT_EQ(parse_time("0001-01-01T00:59:59+01:00"), std::nullopt);
  EXPECT_TRUE(parse_time("0001-01-01T01:00:00+01:00"));
  EXPECT_EQ(parse_time("9999-12-31T23:00:00-01:00"), std::nullopt);
  EXPECT_TRUE(parse_time("9999-12-31T22:59:59-01:00"));
}

TEST(FormatTime, WritesSixDigitsOfAFractionOrNone) {
  EXPECT_EQ(format_time(at(0)), "1970-01-01T00:00:00+00:00");
  EXPECT_EQ(format_time(at(1)), "1970-01-01T00:00:00.000001+00:00");
  EXPECT_EQ(format_time(at(-1)), "1969-12-31T23:59:59.999999+00:00");
  EXPECT_EQ(format_time(at(1'767'323'045'678'901)), "2026-01-02T03:04:05.678901+00:00");
  EXPECT_EQ(format_time(at(1'767'323'045'500'000)), "2026-01-02T03:04:05.500000+00:00");
  EXPECT_EQ(format_time(Timestamp(seconds(-62'135'596'800))), "0001-01-01T00:00:00+00:00");
  EXPECT_EQ(format_time(at(253'402'300'799'999'999)), "9999-12-31T23:59:59.999999+00:00");
}

TEST(FormatTime, WritesWhatIsReadBackAsTheSame) {
  std::mt19937_64 random(20'260'102);
  std::uniform_int_distribution<std::int64_t> micros(-62'135'596'800'000'000,
                                                     253'402'300'799'999'999);
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp time = at(micros(random));
    EXPECT_EQ(parse_time(format_time(time)), time) << format_time(time);
  }
}

}  // namespace
}  // namespace maas
