#include "core/log.hpp"
#include "http/url.hpp"
#include "trace/attributes.hpp"
#include "trace/journey.hpp"
#include "trace/otlp_sender.hpp"
#include "trace/resource.hpp"
#include "trace/span_exporter.hpp"
#include "trace/tracer.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <array>
#include <opentelemetry/common/key_value_iterable.h>
#include <opentelemetry/exporters/ostream/span_exporter_factory.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/resource/resource_detector.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/processor.h>
#include <opentelemetry/sdk/trace/random_id_generator_factory.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <opentelemetry/sdk/trace/samplers/always_off_factory.h>
#include <opentelemetry/sdk/trace/samplers/always_on_factory.h>
#include <opentelemetry/sdk/trace/samplers/parent_factory.h>
#include <opentelemetry/sdk/trace/samplers/trace_id_ratio_factory.h>
#include <opentelemetry/sdk/trace/simple_processor_factory.h>
#include <opentelemetry/trace/span_context_kv_iterable.h>
#include <opentelemetry/trace/trace_state.h>

namespace maas::trace {
namespace {

namespace api = opentelemetry::trace;
namespace internal_log = opentelemetry::sdk::common::internal_log;
namespace nostd = opentelemetry::nostd;
namespace resource = opentelemetry::sdk::resource;
namespace sdk = opentelemetry::sdk::trace;
using opentelemetry::sdk::instrumentationscope::InstrumentationScope;
using Clock = std::chrono::steady_clock;

nostd::string_view view(std::string_view text) { return {text.data(), text.size()}; }

// What the SDK says is wrong belongs into the log, too; its own goes to standard output.
class SdkLog final : public internal_log::LogHandler {
 public:
  void Handle(internal_log::LogLevel level, const char*, int, const char* message,
              const opentelemetry::sdk::common::AttributeMap&) noexcept override {
    if (!message || level > internal_log::LogLevel::Warning) return;
    log::warn("OpenTelemetry's SDK warns", {{"detail", http::printable(message)}});
  }
};

std::unique_ptr<sdk::Sampler> make_sampler(Sampler kind, double share) {
  const auto below_parents = [](std::unique_ptr<sdk::Sampler> root) {
    return sdk::ParentBasedSamplerFactory::Create(std::shared_ptr<sdk::Sampler>(std::move(root)));
  };
  switch (kind) {
    case Sampler::always_on:
      return sdk::AlwaysOnSamplerFactory::Create();
    case Sampler::always_off:
      return sdk::AlwaysOffSamplerFactory::Create();
    case Sampler::trace_id_ratio:
      return sdk::TraceIdRatioBasedSamplerFactory::Create(share);
    case Sampler::parent_based_always_on:
      return below_parents(sdk::AlwaysOnSamplerFactory::Create());
    case Sampler::parent_based_always_off:
      return below_parents(sdk::AlwaysOffSamplerFactory::Create());
    case Sampler::parent_based_trace_id_ratio:
      return below_parents(sdk::TraceIdRatioBasedSamplerFactory::Create(share));
  }
  return sdk::AlwaysOnSamplerFactory::Create();
}

// The SDK would read the environment; what counts is the configuration.
class ThisProcess final : public resource::ResourceDetector {
 public:
  explicit ThisProcess(const KeyValues& told) : told_(told) {}

  resource::Resource Detect() override {
    resource::ResourceAttributes attributes;
    for (const auto& [name, value] : process_resource(told_)) {
      if (is_number(name)) {
        attributes[name] = number_in(value);
      } else {
        attributes[name] = value;
      }
    }
    return resource::Resource::GetDefault().Merge(Create(attributes));
  }

 private:
  const KeyValues& told_;
};

using Views = boost::container::small_vector<nostd::string_view, 8>;

opentelemetry::common::AttributeValue attribute_value(const Value& value, Views& views) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  for (const std::string_view text : std::get<std::span<const std::string_view>>(value)) {
    views.push_back(view(text));
  }
  return nostd::span<const nostd::string_view>(views.data(), views.size());
}

api::SpanKind kind_of(Kind kind) {
  return kind == Kind::server   ? api::SpanKind::kServer
         : kind == Kind::client ? api::SpanKind::kClient
                                : api::SpanKind::kInternal;
}

// An empty state of this thread's own: all threads would wait for each other to count who holds the
// SDK's.
const nostd::shared_ptr<api::TraceState>& no_state() {
  thread_local const auto none = api::TraceState::FromHeader("");
  return none;
}

api::SpanContext sdk_context(const std::optional<TraceContext>& context) {
  if (!context) return {{}, {}, {}, false, no_state()};
  return {api::TraceId(context->trace_id), api::SpanId(context->span_id),
          api::TraceFlags(context->flags), context->remote,
          context->state.empty() ? no_state() : api::TraceState::FromHeader(view(context->state))};
}

// Where a kept span goes when it ends.
class Exit {
 public:
  Exit(std::unique_ptr<sdk::SpanProcessor> processor, std::shared_ptr<Journey> journey)
      : processor_(std::move(processor)), journey_(std::move(journey)) {}

  std::unique_ptr<sdk::Recordable> make_recordable() { return processor_->MakeRecordable(); }

  // The SDK's queue never grows full, where it would drop without telling. A null journey: there
  // is no queue.
  void take(std::unique_ptr<sdk::Recordable> span) {
    if (!journey_ || journey_->begin()) processor_->OnEnd(std::move(span));
  }

  void shut_down() { processor_->Shutdown(); }

 private:
  std::unique_ptr<sdk::SpanProcessor> processor_;
  std::shared_ptr<Journey> journey_;
};

// One that is left out, known to those below it alone.
class UnkeptRecording final : public Recording {
 public:
  explicit UnkeptRecording(TraceContext context) : context_(std::move(context)) {}

  void set(std::string_view, const Value&) override {}
  void rename(std::string_view) override {}
  void fail(std::string_view) override {}
  TraceContext context() const override { return context_; }
  bool is_kept() const override { return false; }

 private:
  TraceContext context_;
};

using Exits = std::array<std::unique_ptr<Exit>, 2>;  // those that are not used are null

// Writes what the SDK exports. Its own spans, with their locks and their lists of recordables, take
// as much time again as all the rest of a span.
class OtelRecording final : public Recording {
 public:
  OtelRecording(const Exits& exits, TraceContext context, Clock::time_point began)
      : exits_(exits), context_(std::move(context)), began_(began) {
    for (std::size_t i = 0; i < exits.size(); ++i) {
      if (exits[i]) spans_[i] = exits[i]->make_recordable();
    }
  }
  ~OtelRecording() override {
    write([this](sdk::Recordable& span) { span.SetDuration(Clock::now() - began_); });
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      if (spans_[i]) exits_[i]->take(std::move(spans_[i]));
    }
  }

  template <class Write>
  void write(const Write& write) {
    for (const auto& span : spans_) {
      if (span) write(*span);
    }
  }

  void set(std::string_view name, const Value& value) override {
    const auto set_value = [&](const opentelemetry::common::AttributeValue& written) {
      write([&](sdk::Recordable& span) { span.SetAttribute(view(name), written); });
    };
    if (const auto* text = std::get_if<std::string_view>(&value)) return set_value(view(*text));
    Views views;
    set_value(attribute_value(value, views));
  }
  void rename(std::string_view name) override {
    write([&](sdk::Recordable& span) { span.SetName(view(name)); });
  }
  void fail(std::string_view description) override {
    write(
        [&](sdk::Recordable& span) { span.SetStatus(api::StatusCode::kError, view(description)); });
  }
  TraceContext context() const override { return context_; }
  bool is_kept() const override { return true; }

 private:
  const Exits& exits_;
  std::array<std::unique_ptr<sdk::Recordable>, 2> spans_;
  TraceContext context_;
  Clock::time_point began_;
};

// The SDK's sampler, ids, batches and exporters.
class OtelRecorder final : public Recorder {
 public:
  explicit OtelRecorder(const TracerOptions& options)
      : journey_(std::make_shared<Journey>(options.exporting.queue)),
        stop_timeout_(options.exporting.stop_timeout),
        resource_(ThisProcess(options.resource).Detect()),
        scope_(InstrumentationScope::Create(view(kScopeName), MAAS_VERSION,
                                            view(attribute::kSchemaUrl))),
        sampler_(make_sampler(options.sampler, options.sampled_share)),
        ids_(sdk::RandomIdGeneratorFactory::Create()) {
    internal_log::GlobalLogHandler::SetLogHandler(
        nostd::shared_ptr<internal_log::LogHandler>(new SdkLog));
    if (options.exporting.is_sent()) exits_[0] = make_otlp_exit(options.exporting);
    if (options.exporting.console) {
      exits_[1] = std::make_unique<Exit>(
          sdk::SimpleSpanProcessorFactory::Create(
              opentelemetry::exporter::trace::OStreamSpanExporterFactory::Create()),
          nullptr);
    }
  }

  ~OtelRecorder() override {
    if (sender_) sender_->stop_at(Clock::now() + stop_timeout_);
    for (const auto& exit : exits_) {
      if (exit) exit->shut_down();
    }
    if (journey_->counts().dropped > 0) {
      log::warn("spans were lost", {{"exported", journey_->counts().exported},
                                    {"dropped", journey_->counts().dropped}});
    }
  }

  std::unique_ptr<Recording> begin(Kind kind, std::string_view name,
                                   const std::optional<TraceContext>& parent,
                                   std::chrono::nanoseconds already_lasted) override {
    const api::SpanContext above = sdk_context(parent);
    const api::TraceId trace = parent ? above.trace_id() : ids_->GenerateTraceId();
    const api::SpanId id = ids_->GenerateSpanId();
    static const opentelemetry::common::NoopKeyValueIterable no_attributes;
    static const api::NullSpanContext no_links;
    const bool is_kept =
        sampler_->ShouldSample(above, trace, view(name), kind_of(kind), no_attributes, no_links)
            .decision == sdk::Decision::RECORD_AND_SAMPLE;

    TraceContext context;
    std::ranges::copy(trace.Id(), context.trace_id.begin());
    std::ranges::copy(id.Id(), context.span_id.begin());
    const std::uint8_t random = parent ? parent->flags & kRandomId : kRandomId;
    context.flags = static_cast<std::uint8_t>(random | (is_kept ? kSampled : 0));
    if (parent) context.state = parent->state;
    if (!is_kept) return std::make_unique<UnkeptRecording>(std::move(context));

    auto recording =
        std::make_unique<OtelRecording>(exits_, context, Clock::now() - already_lasted);
    const opentelemetry::common::SystemTimestamp began(std::chrono::system_clock::now() -
                                                       already_lasted);
    recording->write([&](sdk::Recordable& span) {
      const api::TraceFlags flags(context.flags);
      span.SetIdentity({trace, id, flags, false, above.trace_state()}, above.span_id());
      span.SetTraceFlags(flags);
      span.SetName(view(name));
      span.SetSpanKind(kind_of(kind));
      span.SetResource(resource_);
      span.SetInstrumentationScope(*scope_);
      span.SetStartTime(began);
    });
    return recording;
  }

  RecorderCounts counts() const override { return journey_->counts(); }

 private:
  std::unique_ptr<Exit> make_otlp_exit(const ExportOptions& options) {
    sender_ = std::make_shared<OtlpSender>(sender_options(options, options.batch_timeout));
    auto exporter = make_span_exporter(sender_, options.protocol == Protocol::json, journey_);
    sdk::BatchSpanProcessorOptions batches;
    batches.max_queue_size = options.queue;
    batches.max_export_batch_size = std::min(options.batch, options.queue);
    batches.schedule_delay_millis = options.delay;
    return std::make_unique<Exit>(
        sdk::BatchSpanProcessorFactory::Create(std::move(exporter), batches), journey_);
  }

  std::shared_ptr<Journey> journey_;
  std::chrono::milliseconds stop_timeout_;
  std::shared_ptr<OtlpSender> sender_;  // null: none
  resource::Resource resource_;
  std::unique_ptr<InstrumentationScope> scope_;
  std::unique_ptr<sdk::Sampler> sampler_;
  std::unique_ptr<sdk::IdGenerator> ids_;
  Exits exits_;
};

}  // namespace

std::unique_ptr<Recorder> make_otel_recorder(const TracerOptions& options) {
  return std::make_unique<OtelRecorder>(options);
}

}  // namespace maas::trace
