#include "trace/otlp_json.hpp"
#include "trace/span_exporter.hpp"

#include <algorithm>
#include <array>
#include <bit>
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

// Of a field with content of this length, whole; tags are below 16.
std::size_t field_size(std::size_t length) {
  return 1 + static_cast<std::size_t>(protozero::length_of_varint(length)) + length;
}

// Writes fields into room that was made for all of them: pbf_writer appends a string byte by byte,
// and moves what is nested when its length is known.
class FieldWriter {
 public:
  explicit FieldWriter(char* to) : to_(to) {}

  void head(protozero::pbf_tag_type tag, std::size_t length) {
    tag_of(tag, protozero::pbf_wire_type::length_delimited);
    to_ += protozero::add_varint_to_buffer(to_, length);
  }
  void text(protozero::pbf_tag_type tag, std::string_view text) {
    head(tag, text.size());
    to_ = std::ranges::copy(text, to_).out;
  }
  void number(protozero::pbf_tag_type tag, std::uint64_t number) {
    tag_of(tag, protozero::pbf_wire_type::varint);
    to_ += protozero::add_varint_to_buffer(to_, number);
  }
  void number(protozero::pbf_tag_type tag, double number) {
    tag_of(tag, protozero::pbf_wire_type::fixed64);
    static_assert(std::endian::native == std::endian::little);
    to_ = std::ranges::copy(std::bit_cast<std::array<char, sizeof number>>(number), to_).out;
  }

 private:
  void tag_of(protozero::pbf_tag_type tag, protozero::pbf_wire_type type) {
    *to_++ = static_cast<char>(tag << 3 | static_cast<std::uint32_t>(type));
  }

  char* to_;
};

template <class T>
concept List = std::ranges::range<T> && !std::convertible_to<T, std::string_view>;

// The size of an AnyValue, and its writer: of every type that the SDK's variants can hold.
struct ValueSize {
  std::size_t operator()(bool) const { return 2; }
  std::size_t operator()(double) const { return 1 + sizeof(double); }
  template <std::integral T>
  std::size_t operator()(T value) const {
    return 1 +
           static_cast<std::size_t>(protozero::length_of_varint(static_cast<std::uint64_t>(value)));
  }
  template <std::convertible_to<std::string_view> T>
  std::size_t operator()(const T& text) const {
    return field_size(std::string_view(text).size());
  }
  std::size_t operator()(nostd::string_view text) const { return field_size(text.size()); }
  template <List Values>
  std::size_t operator()(const Values& values) const {
    return field_size(elements(values));
  }

  template <List Values>
  static std::size_t elements(const Values& values) {
    std::size_t size = 0;
    for (const auto& value : values) size += field_size(ValueSize{}(value));
    return size;
  }
};

struct ValueWriter {
  FieldWriter& to;

  void operator()(bool value) const { to.number(2, std::uint64_t{value}); }
  void operator()(double value) const { to.number(4, value); }
  template <std::integral T>
  void operator()(T value) const {
    to.number(3, static_cast<std::uint64_t>(value));
  }
  template <std::convertible_to<std::string_view> T>
  void operator()(const T& text) const {
    to.text(1, text);
  }
  void operator()(nostd::string_view text) const { to.text(1, {text.data(), text.size()}); }
  template <List Values>
  void operator()(const Values& values) const {
    to.head(5, ValueSize::elements(values));
    for (const auto& value : values) {
      to.head(1, ValueSize{}(value));
      (*this)(value);
    }
  }
};

// `visit` calls what it is given with the value.
template <class Visit>
void add_attribute(std::string& bytes, protozero::pbf_tag_type tag, std::string_view name,
                   const Visit& visit) {
  const std::size_t value_size = visit(ValueSize{});
  const std::size_t size = field_size(name.size()) + field_size(value_size);
  const std::size_t written = bytes.size();
  bytes.resize(written + field_size(size));
  FieldWriter to(bytes.data() + written);
  to.head(tag, size);
  to.text(1, name);
  to.head(2, value_size);
  visit(ValueWriter{to});
}

template <class Variant>
void write_attribute(std::string& bytes, protozero::pbf_tag_type tag, std::string_view name,
                     const Variant& value) {
  add_attribute(bytes, tag, name,
                [&value](const auto& visitor) { return nostd::visit(visitor, value); });
}

// A span in its form on the wire from the beginning. Kept for another one when it is sent, with its
// memory.
class WireSpan final : public sdk::Recordable {
 public:
  WireSpan() { bytes_.reserve(kSpanBytes); }
  WireSpan(const WireSpan&) = delete;

  // The message, whole; the last that is asked of it.
  const std::string& finish() {
    write_text(writer_, 5, name_);
    if (status_ != api::StatusCode::kUnset) {
      pbf_writer status(writer_, 15);
      write_text(status, 2, description_);
      status.add_enum(3, static_cast<std::int32_t>(status_));
    }
    // OTLP knows of each span whether its parent is remote: that of a request alone may be.
    const bool is_remote = kind_ == api::SpanKind::kServer && has_parent_;
    writer_.add_fixed32(16, flags_ | kKnowsRemote | (is_remote ? kIsRemote : 0));
    writer_.add_enum(6, static_cast<std::int32_t>(kind_) + 1);  // OTLP's 0 is "unspecified"
    writer_.add_fixed64(7, start_);
    writer_.add_fixed64(8, start_ + duration_);
    return bytes_;
  }
  // All but its memory.
  void forget() {
    bytes_.clear();
    name_.clear();
    description_.clear();
    status_ = api::StatusCode::kUnset;
    has_parent_ = false;
  }
  std::size_t memory() const { return bytes_.capacity(); }
  const Resource* resource() const { return resource_; }
  const InstrumentationScope* scope() const { return scope_; }

  void SetIdentity(const api::SpanContext& context, api::SpanId parent) noexcept override {
    add_id(1, context.trace_id().Id());
    add_id(2, context.span_id().Id());
    if (!context.trace_state()->Empty()) {
      write_text(writer_, 3, context.trace_state()->ToHeader());
    }
    has_parent_ = parent.IsValid();
    if (has_parent_) add_id(4, parent.Id());
  }
  void SetAttribute(nostd::string_view name,
                    const opentelemetry::common::AttributeValue& value) noexcept override {
    constexpr protozero::pbf_tag_type kAttribute = 9;
    const std::string_view key(name.data(), name.size());
    if (const auto* text = nostd::get_if<nostd::string_view>(&value)) {  // most are
      add_attribute(bytes_, kAttribute, key,
                    [text](const auto& visitor) { return visitor(*text); });
    } else {
      write_attribute(bytes_, kAttribute, key, value);
    }
  }
  // Recording knows neither events nor links.
  void AddEvent(nostd::string_view, opentelemetry::common::SystemTimestamp,
                const opentelemetry::common::KeyValueIterable&) noexcept override {}
  void AddLink(const api::SpanContext&,
               const opentelemetry::common::KeyValueIterable&) noexcept override {}
  void SetStatus(api::StatusCode code, nostd::string_view description) noexcept override {
    status_ = code;
    description_.assign(description.data(), description.size());
  }
  void SetName(nostd::string_view name) noexcept override {
    name_.assign(name.data(), name.size());
  }
  void SetTraceFlags(api::TraceFlags flags) noexcept override { flags_ = flags.flags(); }
  void SetSpanKind(api::SpanKind kind) noexcept override { kind_ = kind; }
  void SetResource(const Resource& resource) noexcept override { resource_ = &resource; }
  void SetStartTime(opentelemetry::common::SystemTimestamp start) noexcept override {
    start_ = static_cast<std::uint64_t>(start.time_since_epoch().count());
  }
  void SetDuration(std::chrono::nanoseconds duration) noexcept override {
    duration_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  }
  void SetInstrumentationScope(const InstrumentationScope& scope) noexcept override {
    scope_ = &scope;
  }

 private:
  template <std::size_t Size>
  void add_id(protozero::pbf_tag_type tag, nostd::span<const std::uint8_t, Size> id) {
    writer_.add_bytes(tag, reinterpret_cast<const char*>(id.data()), id.size());
  }

  std::string bytes_;
  pbf_writer writer_{bytes_};
  std::string name_;
  std::string description_;
  api::StatusCode status_ = api::StatusCode::kUnset;
  api::SpanKind kind_ = api::SpanKind::kInternal;
  std::uint32_t flags_ = 0;
  bool has_parent_ = false;
  std::uint64_t start_ = 0;  // nanoseconds since 1970
  std::uint64_t duration_ = 0;
  const Resource* resource_ = nullptr;
  const InstrumentationScope* scope_ = nullptr;
};

// Those that were sent, for spans that begin: another thread would free them than made them, which
// malloc is slow at. Thread-safe.
class SentSpans {
 public:
  std::unique_ptr<WireSpan> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto span = std::move(free_.back());
        free_.pop_back();
        return span;
      }
    }
    return std::make_unique<WireSpan>();
  }

  void give(std::vector<std::unique_ptr<WireSpan>> spans) {
    std::erase_if(spans, [](const auto& span) { return span->memory() > kMostKeptBytes; });
    for (const auto& span : spans) span->forget();
    {
      const std::lock_guard lock(mutex_);
      const std::size_t kept = std::min(spans.size(), kMostKept - free_.size());
      std::ranges::move(spans | std::views::take(kept), std::back_inserter(free_));
    }
  }

 private:
  static constexpr std::size_t kMostKept = 4096;
  static constexpr std::size_t kMostKeptBytes = 4 * kSpanBytes;

  std::mutex mutex_;
  std::vector<std::unique_ptr<WireSpan>> free_;
};

// An ExportTraceServiceRequest. All spans of a process are of one resource and one scope.
void write_request(std::string& bytes, const std::vector<std::unique_ptr<WireSpan>>& spans) {
  const WireSpan& first = *spans.front();
  bytes.clear();
  pbf_writer request(bytes);
  pbf_writer of_resource(request, 1);
  std::string resource;
  for (const auto& [name, value] : first.resource()->GetAttributes()) {
    write_attribute(resource, 1, name, value);
  }
  of_resource.add_message(1, resource);
  write_text(of_resource, 3, first.resource()->GetSchemaURL());
  pbf_writer of_scope(of_resource, 2);
  {
    pbf_writer scope(of_scope, 1);
    write_text(scope, 1, first.scope()->GetName());
    write_text(scope, 2, first.scope()->GetVersion());
  }
  write_text(of_scope, 3, first.scope()->GetSchemaURL());
  for (const auto& span : spans) of_scope.add_message(2, span->finish());
}

class OtlpExporter final : public sdk::SpanExporter {
 public:
  OtlpExporter(std::shared_ptr<OtlpSender> sender, bool as_json, std::shared_ptr<Journey> journey)
      : sender_(std::move(sender)), as_json_(as_json), journey_(std::move(journey)) {}

  std::unique_ptr<sdk::Recordable> MakeRecordable() noexcept override { return sent_.take(); }

  common::ExportResult Export(
      const nostd::span<std::unique_ptr<sdk::Recordable>>& batch) noexcept override {
    if (batch.empty()) return common::ExportResult::kSuccess;
    journey_->arrive();
    OtlpSender::Sent sent;
    try {
      std::vector<std::unique_ptr<WireSpan>> spans;
      for (auto& span : batch) {  // made by this exporter
        spans.emplace_back(static_cast<WireSpan*>(span.release()));
      }
      write_request(body_, spans);
      sent_.give(std::move(spans));
      if (as_json_) body_ = otlp_json_of_traces(body_);
      sent = sender_->send(body_);
    } catch (const std::exception& error) {
      sent.problem = error.what();
    }
    const std::uint64_t count = batch.size();
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
  SentSpans sent_;
  std::string body_;  // of the last request: its memory is for the next
};

}  // namespace

std::unique_ptr<sdk::SpanExporter> make_span_exporter(std::shared_ptr<OtlpSender> sender,
                                                      bool as_json,
                                                      std::shared_ptr<Journey> journey) {
  return std::make_unique<OtlpExporter>(std::move(sender), as_json, std::move(journey));
}

}  // namespace maas::trace
