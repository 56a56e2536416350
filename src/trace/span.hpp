#pragma once

#include "trace/recorder.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::trace {

class Span;

// What every span of a request tells of it; empty: unknown. Borrows.
struct Identity {
  std::string_view operation = {};  // "ltm.add": the trace's name, and its parts the tags
  std::string_view user = {};
  std::string_view session = {};
  std::string_view agent = {};
};

// What holds for every span.
struct SpanOptions {
  bool capture_content = false;      // texts of messages, memories and queries may be told
  bool propagate = true;             // upstreams are told which span asks them
  std::size_t max_attributes = 128;  // of a span; more are left out
  std::size_t max_value_bytes = 0;   // of a text; the rest is cut; 0: any number
};

// Where spans begin: below a span, or nowhere, which costs nothing. Copied freely; outlives its
// span, but not the tracer. Thread-safe.
class Parent {
 public:
  Parent() = default;

  Span begin(Kind kind, std::string_view name) const;

  // Texts may be told; false for nowhere.
  bool captures_content() const;
  explicit operator bool() const { return place_ != nullptr; }

 private:
  friend class Span;
  struct Place;
  explicit Parent(std::shared_ptr<const Place> place) : place_(std::move(place)) {}

  std::shared_ptr<const Place> place_;
};

// One timed operation, until it is destroyed. One that nobody records takes no time and no memory.
// Never fails its caller. Used by one thread at a time.
class Span {
 public:
  Span() noexcept;
  Span(Recorder& recorder, const SpanOptions& options, std::unique_ptr<Recording> recording);
  Span(Span&&) noexcept;
  Span& operator=(Span&&) noexcept;
  ~Span();

  // False: what would be set is not worth being made.
  explicit operator bool() const;
  bool captures_content() const;
  Parent parent() const;

  void set(std::string_view name, std::string_view value);
  void set(std::string_view name, const char* value) { set(name, std::string_view(value)); }
  void set(std::string_view name, bool value) { tell(name, value); }
  void set(std::string_view name, double value) { tell(name, value); }
  template <std::integral T>
  void set(std::string_view name, T value) {
    tell(name, static_cast<std::int64_t>(value));
  }
  void set(std::string_view name, std::span<const std::string_view> values);

  // Tells this of the request, on this span and on those that begin below it from now on; what is
  // known already stays.
  void identify(const Identity& identity);
  // "s-7"; empty: unknown.
  std::string_view session() const;

  void rename(std::string_view name);
  // `error_type` is of few kinds: a status, "timeout"; the description is for people, and has
  // nothing of what users said.
  void fail(std::string_view error_type, std::string_view description = {});

  // Its ids; nullopt: nobody records it.
  std::optional<TraceContext> context() const;
  // The headers that tell an upstream of this span.
  std::vector<std::pair<std::string, std::string>> headers() const;

 private:
  friend class Parent;
  struct Known;

  void inherit(std::shared_ptr<Known> known);
  // Well-formed values, from here on.
  void tell(std::string_view name, const Value& value);
  void tell_tags(std::string_view operation);

  std::unique_ptr<Recording> recording_;  // null: nobody records, and the others say nothing
  Recorder* recorder_ = nullptr;
  const SpanOptions* options_ = nullptr;
  std::shared_ptr<Known> known_;  // null: nothing
  std::size_t attributes_ = 0;
};

}  // namespace maas::trace
