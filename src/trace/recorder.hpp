#pragma once

#include "trace/trace_context.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace maas::trace {

enum class Kind { internal, server, client };

// What an attribute says. Borrows.
using Value =
    std::variant<std::string_view, std::int64_t, double, bool, std::span<const std::string_view>>;

// One span while it lasts; destroying it ends it. Used by one thread at a time.
class Recording {
 public:
  virtual ~Recording() = default;

  // Each name at most once.
  virtual void set(std::string_view name, const Value& value) = 0;
  virtual void rename(std::string_view name) = 0;
  // Its status becomes an error; an empty description says nothing.
  virtual void fail(std::string_view description) = 0;
  virtual TraceContext context() const = 0;
  // False: the sampler has left it out; it is known to those below it alone.
  virtual bool is_kept() const = 0;
};

struct RecorderCounts {
  std::uint64_t exported = 0;  // spans that a collector has taken
  std::uint64_t dropped = 0;   // that did not fit the queue, or that no collector took
  std::uint64_t waiting = 0;   // to be exported
};

// Where spans go. Thread-safe; outlives its recordings.
class Recorder {
 public:
  virtual ~Recorder() = default;

  // A root without a parent. It began `already_lasted` ago.
  virtual std::unique_ptr<Recording> begin(Kind kind, std::string_view name,
                                           const std::optional<TraceContext>& parent,
                                           std::chrono::nanoseconds already_lasted) = 0;

  virtual RecorderCounts counts() const = 0;
};

}  // namespace maas::trace
