#include "trace/otlp_json.hpp"
#include "trace/span_exporter.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <iterator>
#include <mutex>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
#include <ranges>
#include <vector>

namespace maas::trace {
namespace {

namespace api = opentelemetry::trace;
namespace common = opentelemetry::sdk::common;
namespace nostd = opentelemetry::nostd;
namespace sdk = opentelemetry::sdk::trace;
using opentelemetry::sdk::instrumentationscope::InstrumentationScope;
using opentelemetry::sdk::resource::Resource;
using protozero::pbf_writer;

// Larger than usual spans, small enough for malloc's caches of each thread.
constexpr std::size_t kSpanBytes = 1000;

// SpanFlags of OTLP, beside those of W3C trace context.
constexpr std::uint32_t kKnowsRemote = 0x100;
constexpr std::uint32_t kIsRemote = 0x200;

// The tags are those of opentelemetry/proto/{common,trace,resource}/v1.

void write_text(pbf_writer& to, protozero::pbf_tag_type tag, std::string_view text) {
  if (!text.empty()) to.add_bytes(tag, text.data(), text.size());
}

// An AnyValue; of every type that the SDK's variants can hold.
struct ValueWriter {
  pbf_writer& to;

  void operator()(bool value) const { to.add_bool(2, value); }
  template <std::integral T>
  void operator()(T value) const {
    to.add_int64(3, static_cast<std::int64_t>(value));
  }
  void operator()(double value) const { to.add_double(4, value); }
  void operator()(const char* text) const { (*this)(std::string_view(text)); }
  void operator()(const std::string& text) const { (*this)(std::string_view(text)); }
  void operator()(nostd::string_view text) const {
    (*this)(std::string_view(text.data(), text.size()));
  }
  void operator()(std::string_view text) const { to.add_bytes(1, text.data(), text.size()); }
  template <std::ranges::range Range>
  void operator()(const Range& values) const {
    pbf_writer array(to, 5);
    for (const auto& value : values) {
      pbf_writer each(array, 1);
      ValueWriter{each}(value);
    }
  }
};

// The tags and lengths before a text, as many bytes as they take.
class Head {
 public:
  Head& field(protozero::pbf_tag_type tag, std::size_t length) {
    add(tag << 3 | static_cast<std::uint64_t>(protozero::pbf_wire_type::length_delimited));
    add(length);
    return *this;
  }
  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }

 private:
  void add(std::uint64_t number) {
    size_ +=
        static_cast<std::size_t>(protozero::add_varint_to_buffer(bytes_.data() + size_, number));
  }

  std::array<char, 4 * protozero::max_varint_length> bytes_;
  std::size_t size_ = 0;
};

// Most attributes are texts: with all lengths known no room is made first, and nothing moved then.
void write_attribute_text(pbf_writer& to, protozero::pbf_tag_type tag, std::string_view name,
                          std::string_view text) {
  const Head of_text = Head().field(1, text.size());
  to.add_bytes_vectored(tag, Head().field(1, name.size()), name,
                        Head().field(2, of_text.size() + text.size()), of_text, text);
}

template <class Variant>
void write_attribute(pbf_writer& to, protozero::pbf_tag_type tag, std::string_view name,
                     const Variant& value) {
  pbf_writer attribute(to, tag);
  write_text(attribute, 1, name);
  pbf_writer any(attribute, 2);
  nostd::visit(ValueWriter{any}, value);
}

// A span as it is sent, while it is made.
struct Message {
  std::string bytes = {};
  pbf_writer writer{bytes};
  std::string name = {};
  std::string description = {};
  api::StatusCode status = api::StatusCode::kUnset;
  api::SpanKind kind = api::SpanKind::kInternal;
  std::uint32_t flags = 0;
  bool has_parent = false;
  std::uint64_t start = 0;  // nanoseconds since 1970
  std::uint64_t duration = 0;

  // But for its memory.
  void forget() {
    bytes.clear();
    name.clear();
    description.clear();
    status = api::StatusCode::kUnset;
    has_parent = false;
  }
};

// The messages that were sent are for spans that begin, with their memory: another thread frees
// them than made them, which malloc is slow at. Thread-safe.
class Messages {
 public:
  std::unique_ptr<Message> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto message = std::move(free_.back());
        free_.pop_back();
        return message;
      }
    }
    auto message = std::make_unique<Message>();
    message->bytes.reserve(kSpanBytes);
    return message;
  }

  void give(std::vector<std::unique_ptr<Message>>& messages) {
    std::erase_if(messages,
                  [](const auto& message) { return message->bytes.capacity() > kMostKeptBytes; });
    for (const auto& message : messages) message->forget();
    const std::lock_guard lock(mutex_);
    const std::size_t kept = std::min(messages.size(), kMostKept - free_.size());
    std::ranges::move(messages | std::views::take(kept), std::back_inserter(free_));
    messages.clear();
  }

 private:
  static constexpr std::size_t kMostKept = 4096;
  static constexpr std::size_t kMostKeptBytes = 4 * kSpanBytes;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Message>> free_;
};

class WireSpan final : public sdk::Recordable {
 public:
  explicit WireSpan(std::unique_ptr<Message> message) : message_(std::move(message)) {}

  // Its message, whole; the last that is asked of it.
  std::unique_ptr<Message> finish() {
    pbf_writer& span = message_->writer;
    write_text(span, 5, message_->name);
    if (message_->status != api::StatusCode::kUnset) {
      pbf_writer status(span, 15);
      write_text(status, 2, message_->description);
      status.add_enum(3, static_cast<std::int32_t>(message_->status));
    }
    // OTLP knows of each span whether its parent is remote: that of a request alone may be.
    const bool is_remote = message_->kind == api::SpanKind::kServer && message_->has_parent;
    span.add_fixed32(16, message_->flags | kKnowsRemote | (is_remote ? kIsRemote : 0));
    span.add_enum(6, static_cast<std::int32_t>(message_->kind) + 1);  // OTLP's 0 is "unspecified"
    span.add_fixed64(7, message_->start);
    span.add_fixed64(8, message_->start + message_->duration);
    return std::move(message_);
  }
  const Resource* resource() const { return resource_; }
  const InstrumentationScope* scope() const { return scope_; }

  void SetIdentity(const api::SpanContext& context, api::SpanId parent) noexcept override {
    add_id(1, context.trace_id().Id());
    add_id(2, context.span_id().Id());
    if (!context.trace_state()->Empty()) {
      write_text(message_->writer, 3, context.trace_state()->ToHeader());
    }
    message_->has_parent = parent.IsValid();
    if (message_->has_parent) add_id(4, parent.Id());
  }
  void SetAttribute(nostd::string_view name,
                    const opentelemetry::common::AttributeValue& value) noexcept override {
    constexpr protozero::pbf_tag_type kAttribute = 9;
    const std::string_view key(name.data(), name.size());
    if (const auto* text = nostd::get_if<nostd::string_view>(&value)) {
      write_attribute_text(message_->writer, kAttribute, key, {text->data(), text->size()});
    } else {
      write_attribute(message_->writer, kAttribute, key, value);
    }
  }
  // Recording knows neither events nor links.
  void AddEvent(nostd::string_view, opentelemetry::common::SystemTimestamp,
                const opentelemetry::common::KeyValueIterable&) noexcept override {}
  void AddLink(const api::SpanContext&,
               const opentelemetry::common::KeyValueIterable&) noexcept override {}
  void SetStatus(api::StatusCode code, nostd::string_view description) noexcept override {
    message_->status = code;
    message_->description.assign(description.data(), description.size());
  }
  void SetName(nostd::string_view name) noexcept override {
    message_->name.assign(name.data(), name.size());
  }
  void SetTraceFlags(api::TraceFlags flags) noexcept override { message_->flags = flags.flags(); }
  void SetSpanKind(api::SpanKind kind) noexcept override { message_->kind = kind; }
  void SetResource(const Resource& resource) noexcept override { resource_ = &resource; }
  void SetStartTime(opentelemetry::common::SystemTimestamp start) noexcept override {
    message_->start = static_cast<std::uint64_t>(start.time_since_epoch().count());
  }
  void SetDuration(std::chrono::nanoseconds duration) noexcept override {
    message_->duration = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  }
  void SetInstrumentationScope(const InstrumentationScope& scope) noexcept override {
    scope_ = &scope;
  }

 private:
  template <std::size_t Size>
  void add_id(protozero::pbf_tag_type tag, nostd::span<const std::uint8_t, Size> id) {
    message_->writer.add_bytes(tag, reinterpret_cast<const char*>(id.data()), id.size());
  }

  std::unique_ptr<Message> message_;
  const Resource* resource_ = nullptr;
  const InstrumentationScope* scope_ = nullptr;
};

// An ExportTraceServiceRequest, and in `written` the spans' messages, which it holds now. All spans
// of a process are of one resource and one scope.
void write_request(std::string& bytes, const nostd::span<std::unique_ptr<sdk::Recordable>>& spans,
                   std::vector<std::unique_ptr<Message>>& written) {
  const auto wire = [](const std::unique_ptr<sdk::Recordable>& span) -> WireSpan& {
    return static_cast<WireSpan&>(*span);  // made by this exporter
  };
  const WireSpan& first = wire(spans[0]);
  bytes.clear();
  pbf_writer request(bytes);
  pbf_writer of_resource(request, 1);
  {
    pbf_writer resource(of_resource, 1);
    for (const auto& [name, value] : first.resource()->GetAttributes()) {
      write_attribute(resource, 1, name, value);
    }
  }
  write_text(of_resource, 3, first.resource()->GetSchemaURL());
  pbf_writer of_scope(of_resource, 2);
  {
    pbf_writer scope(of_scope, 1);
    write_text(scope, 1, first.scope()->GetName());
    write_text(scope, 2, first.scope()->GetVersion());
  }
  write_text(of_scope, 3, first.scope()->GetSchemaURL());
  for (const auto& span : spans) {
    written.push_back(wire(span).finish());
    of_scope.add_message(2, written.back()->bytes);
  }
}

class OtlpExporter final : public sdk::SpanExporter {
 public:
  OtlpExporter(std::shared_ptr<OtlpSender> sender, bool as_json, std::shared_ptr<Journey> journey)
      : sender_(std::move(sender)), as_json_(as_json), journey_(std::move(journey)) {}

  std::unique_ptr<sdk::Recordable> MakeRecordable() noexcept override {
    return std::make_unique<WireSpan>(messages_.take());
  }

  common::ExportResult Export(
      const nostd::span<std::unique_ptr<sdk::Recordable>>& spans) noexcept override {
    if (spans.empty()) return common::ExportResult::kSuccess;
    journey_->arrive();
    OtlpSender::Sent sent;
    try {
      write_request(body_, spans, written_);
      messages_.give(written_);
      if (as_json_) body_ = otlp_json_of_traces(body_);
      sent = sender_->send(body_);
    } catch (const std::exception& error) {
      sent.problem = error.what();
    }
    const std::uint64_t count = spans.size();
    const std::uint64_t lost = sent.taken ? std::min(count, sent.rejected) : count;
    journey_->end(count - lost, lost, sent.problem);
    return sent.taken ? common::ExportResult::kSuccess : common::ExportResult::kFailure;
  }

  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds) noexcept override { return true; }

 private:
  std::shared_ptr<OtlpSender> sender_;
  bool as_json_;
  std::shared_ptr<Journey> journey_;
  Messages messages_;
  // Of the last request: their memory is for the next.
  std::vector<std::unique_ptr<Message>> written_;
  std::string body_;
};

}  // namespace

std::unique_ptr<sdk::SpanExporter> make_span_exporter(std::shared_ptr<OtlpSender> sender,
                                                      bool as_json,
                                                      std::shared_ptr<Journey> journey) {
  return std::make_unique<OtlpExporter>(std::move(sender), as_json, std::move(journey));
}

}  // namespace maas::trace
