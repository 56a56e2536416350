#include "core/log.hpp"

#include "core/json_text.hpp"
#include "core/time.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace maas::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::trace:
      return "trace";
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
    case Level::off:
      return "off";
  }
  return "info";
}

// stderr through a buffer of stdio's; unlike the library's own sink it leaves the flushing to us.
class BufferedStderr final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  BufferedStderr() { std::setvbuf(stderr, nullptr, _IOFBF, kBufferBytes); }

 private:
  static constexpr std::size_t kBufferBytes = 64 * 1024;

  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::fwrite(line.data(), 1, line.size(), stderr);
  }
  void flush_() override { std::fflush(stderr); }
};

// The pattern is the line alone: time and level are fields of the JSON object.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("maas", std::make_shared<BufferedStderr>());
    made->set_pattern("%v");
    return made;
  }();
  return *instance;
}

std::string utc_text(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace

void set_level(Level level) { logger().set_level(spdlog_level(level)); }

bool enabled(Level level) { return logger().should_log(spdlog_level(level)); }

void write_soon(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  std::string line;
  line.reserve(256);
  line += R"({"time":")";
  line += utc_text(now());
  line += R"(","level":")";
  line += name_of(level);
  line += R"(","message":)";
  append_json(line, message);
  for (const Field& field : fields) {
    if (!field.is_there) continue;
    line += ',';
    append_json(line, field.name);
    line += ':';
    if (field.text) {
      append_json(line, *field.text);
    } else {
      append_json(line, field.value);
    }
  }
  line += '}';
  logger().log(spdlog_level(level), line);
}

void write(Level level, std::string_view message, Fields fields) {
  write_soon(level, message, fields);
  if (enabled(level)) flush();
}

void flush() { logger().flush(); }

}  // namespace maas::log
