#pragma once

#include <boost/json/value.hpp>

#include <initializer_list>
#include <optional>
#include <string_view>
#include <type_traits>

namespace maas::log {

enum class Level { trace, debug, info, warn, error, off };

// A named value of a log line: a text, a number or any JSON value. Borrows texts.
struct Field {
  template <class T>
  Field(std::string_view field_name, const T& field_value) : name(field_name) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      text = field_value;
    } else {
      value = field_value;
    }
  }
  // nullopt: the line doesn't have it.
  Field(std::string_view field_name, const std::optional<std::string>& field_value)
      : name(field_name), text(field_value), is_there(field_value.has_value()) {}

  std::string_view name;
  std::optional<std::string_view> text;
  boost::json::value value;
  bool is_there = true;
};
using Fields = std::initializer_list<Field>;

// Lines below `level` are dropped. Called once, before threads start.
void set_level(Level level);

bool enabled(Level level);

// One JSON object per line on stderr: {"time","level","message", fields…}. Thread-safe.
void write(Level level, std::string_view message, Fields fields = {});

// The same for lines that come with every request: they reach stderr with the next line that is
// written, or the next flush().
void write_soon(Level level, std::string_view message, Fields fields = {});

inline void debug(std::string_view message, Fields fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::info, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::warn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  write(Level::error, message, fields);
}

// Writes out what is buffered: regularly, and before the process ends.
void flush();

}  // namespace maas::log
