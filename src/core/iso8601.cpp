#include "core/iso8601.hpp"

#include <cstdint>

namespace maas {
namespace {

using namespace std::chrono;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a text from its front; every function says whether what it asks for was there.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }

  bool skip(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(text_[i])) return std::nullopt;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }

  // One to nine digits behind a point.
  std::optional<microseconds> fraction() {
    std::int64_t micros = 0;
    std::size_t count = 0;
    for (; !text_.empty() && is_digit(text_.front()); text_.remove_prefix(1)) {
      if (++count <= 6) micros = micros * 10 + (text_.front() - '0');
    }
    if (count == 0 || count > 9) return std::nullopt;
    for (; count < 6; ++count) micros *= 10;
    return microseconds(micros);
  }

 private:
  std::string_view text_;
};

std::optional<sys_days> read_date(Reader& reader) {
  const auto y = reader.digits(4);
  if (!y || *y == 0 || !reader.skip("-")) return std::nullopt;
  const auto m = reader.digits(2);
  if (!m || !reader.skip("-")) return std::nullopt;
  const auto d = reader.digits(2);
  if (!d) return std::nullopt;
  const year_month_day date(year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d)));
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

std::optional<microseconds> read_clock(Reader& reader) {
  const auto hour = reader.digits(2);
  if (!hour || *hour > 23 || !reader.skip(":")) return std::nullopt;
  const auto minute = reader.digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  microseconds clock = hours(*hour) + minutes(*minute);
  if (!reader.skip(":")) return clock;
  const auto second = reader.digits(2);
  if (!second || *second > 59) return std::nullopt;
  clock += seconds(*second);
  if (!reader.skip(".,")) return clock;
  const auto fraction = reader.fraction();
  if (!fraction) return std::nullopt;
  return clock + *fraction;
}

std::optional<minutes> read_offset(Reader& reader) {
  if (reader.at_end() || reader.skip("Zz")) return minutes(0);
  const bool behind = reader.skip("-");
  if (!behind && !reader.skip("+")) return std::nullopt;
  const auto hour = reader.digits(2);
  if (!hour || *hour > 23) return std::nullopt;
  const bool has_minutes = reader.skip(":") || !reader.at_end();
  const auto minute = has_minutes ? reader.digits(2) : 0;
  if (!minute || *minute > 59) return std::nullopt;
  const minutes offset = hours(*hour) + minutes(*minute);
  return behind ? -offset : offset;
}

// `value`, not negative, in `count` digits. A search writes two times for each result: this is ten
// times as fast as a format string.
void append_digits(std::string& out, std::int64_t value, std::size_t count) {
  const std::size_t begin = out.size();
  out.resize(begin + count);
  for (std::size_t i = count; i > 0; --i, value /= 10) {
    out[begin + i - 1] = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

std::optional<Timestamp> parse_time(std::string_view text) {
  Reader reader(text);
  const auto date = read_date(reader);
  if (!date) return std::nullopt;
  if (reader.at_end()) return *date;
  if (!reader.skip("Tt ")) return std::nullopt;
  const auto clock = read_clock(reader);
  if (!clock) return std::nullopt;
  const auto offset = read_offset(reader);
  if (!offset || !reader.at_end()) return std::nullopt;
  const Timestamp time = *date + *clock - *offset;
  // An offset may lead out of the years that four digits can write.
  if (time < sys_days(year(1) / 1 / 1) || time >= sys_days(year(10'000) / 1 / 1)) {
    return std::nullopt;
  }
  return time;
}

std::string format_time(Timestamp time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<microseconds> clock(time - day);
  std::string text;
  text.reserve(32);
  append_digits(text, static_cast<int>(date.year()), 4);
  text += '-';
  append_digits(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  append_digits(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  append_digits(text, clock.hours().count(), 2);
  text += ':';
  append_digits(text, clock.minutes().count(), 2);
  text += ':';
  append_digits(text, clock.seconds().count(), 2);
  if (const auto micros = clock.subseconds().count(); micros != 0) {
    text += '.';
    append_digits(text, micros, 6);
  }
  return text + "+00:00";
}

}  // namespace maas
