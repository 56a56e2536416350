#pragma once

#include "trace/recorder.hpp"

#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace maas::trace {

// A span as it was recorded.
struct RecordedSpan {
  using Attribute = std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;

  Kind kind = Kind::internal;
  std::string name;
  std::optional<TraceContext> parent;
  TraceContext context;
  std::map<std::string, Attribute> attributes;
  std::optional<std::string> failure;  // its description
  bool ended = false;
};

// Keeps all spans, in the order in which they began.
class MemoryRecorder final : public Recorder {
 public:
  // `keeps`: what the sampler would say.
  explicit MemoryRecorder(std::list<RecordedSpan>& spans, bool keeps = true)
      : spans_(spans), keeps_(keeps) {}

  std::unique_ptr<Recording> begin(Kind kind, std::string_view name,
                                   const std::optional<TraceContext>& parent,
                                   std::chrono::nanoseconds) override {
    RecordedSpan& span = spans_.emplace_back();
    span.kind = kind;
    span.name = name;
    span.parent = parent;
    span.context.trace_id.fill(7);
    span.context.span_id.fill(static_cast<std::uint8_t>(spans_.size()));
    span.context.flags = keeps_ ? kSampled : 0;
    if (parent) span.context.state = parent->state;
    return std::make_unique<MemoryRecording>(span, keeps_);
  }

  RecorderCounts counts() const override { return {}; }

 private:
  class MemoryRecording final : public Recording {
   public:
    MemoryRecording(RecordedSpan& span, bool kept) : span_(span), kept_(kept) {}
    ~MemoryRecording() override { span_.ended = true; }

    void set(std::string_view name, const Value& value) override {
      auto owned = std::visit(
          [](const auto& each) -> RecordedSpan::Attribute {
            using T = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<T, std::string_view>)
              return std::string(each);
            else if constexpr (std::is_same_v<T, std::span<const std::string_view>>)
              return std::vector<std::string>(each.begin(), each.end());
            else
              return each;
          },
          value);
      if (!span_.attributes.emplace(name, std::move(owned)).second) {
        throw std::logic_error("an attribute was set twice: " + std::string(name));
      }
    }
    void rename(std::string_view name) override { span_.name = name; }
    void fail(std::string_view description) override { span_.failure = description; }
    TraceContext context() const override { return span_.context; }
    bool is_kept() const override { return kept_; }

   private:
    RecordedSpan& span_;
    bool kept_;
  };

  std::list<RecordedSpan>& spans_;
  bool keeps_;
};

}  // namespace maas::trace
