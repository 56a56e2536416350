#include "core/log.hpp"
#include "http/url.hpp"
#include "trace/attributes.hpp"
#include "trace/journey.hpp"
#include "trace/otlp_sender.hpp"
#include "trace/resource.hpp"
#include "trace/span_exporter.hpp"
#include "trace/tracer.hpp"

#include <algorithm>
#include <opentelemetry/exporters/ostream/span_exporter_factory.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
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
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>
#include <opentelemetry/trace/tracer.h>

namespace maas::trace {
namespace {

namespace api = opentelemetry::trace;
namespace internal_log = opentelemetry::sdk::common::internal_log;
namespace nostd = opentelemetry::nostd;
namespace resource = opentelemetry::sdk::resource;
namespace sdk = opentelemetry::sdk::trace;
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

// Keeps the SDK's queue from growing full, where it would drop without telling.
class BoundedProcessor final : public sdk::SpanProcessor {
 public:
  BoundedProcessor(std::unique_ptr<sdk::SpanProcessor> processor, std::shared_ptr<Journey> journey)
      : processor_(std::move(processor)), journey_(std::move(journey)) {}

  std::unique_ptr<sdk::Recordable> MakeRecordable() noexcept override {
    return processor_->MakeRecordable();
  }
  void OnStart(sdk::Recordable& span, const api::SpanContext& parent) noexcept override {
    processor_->OnStart(span, parent);
  }
  void OnEnd(std::unique_ptr<sdk::Recordable>&& span) noexcept override {
    if (journey_->begin()) processor_->OnEnd(std::move(span));
  }
  bool ForceFlush(std::chrono::microseconds timeout) noexcept override {
    return processor_->ForceFlush(timeout);
  }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override {
    return processor_->Shutdown(timeout);
  }

 private:
  std::unique_ptr<sdk::SpanProcessor> processor_;
  std::shared_ptr<Journey> journey_;
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

opentelemetry::common::AttributeValue attribute_value(const Value& value,
                                                      std::vector<nostd::string_view>& views) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return view(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  for (const std::string& text : std::get<std::span<const std::string>>(value)) {
    views.push_back(view(text));
  }
  return nostd::span<const nostd::string_view>(views.data(), views.size());
}

class OtelRecording final : public Recording {
 public:
  // `parent`: what the SDK doesn't keep of it.
  OtelRecording(nostd::shared_ptr<api::Span> span, const std::optional<TraceContext>& parent)
      : span_(std::move(span)), is_kept_(span_->IsRecording()) {
    const api::SpanContext context = span_->GetContext();
    std::ranges::copy(context.trace_id().Id(), context_.trace_id.begin());
    std::ranges::copy(context.span_id().Id(), context_.span_id.begin());
    const std::uint8_t random = parent ? parent->flags & kRandomId : kRandomId;
    context_.flags = static_cast<std::uint8_t>(random | (context.IsSampled() ? kSampled : 0));
    if (parent) context_.state = parent->state;
  }

  void set(std::string_view name, const Value& value) override {
    std::vector<nostd::string_view> views;
    span_->SetAttribute(view(name), attribute_value(value, views));
  }
  void rename(std::string_view name) override { span_->UpdateName(view(name)); }
  void fail(std::string_view description) override {
    span_->SetStatus(api::StatusCode::kError, view(description));
  }
  TraceContext context() const override { return context_; }
  bool is_kept() const override { return is_kept_; }

 private:
  nostd::shared_ptr<api::Span> span_;  // ends with it
  bool is_kept_;
  TraceContext context_;
};

class OtelRecorder final : public Recorder {
 public:
  explicit OtelRecorder(const TracerOptions& options)
      : journey_(std::make_shared<Journey>(options.exporting.queue)),
        stop_timeout_(options.exporting.stop_timeout) {
    internal_log::GlobalLogHandler::SetLogHandler(
        nostd::shared_ptr<internal_log::LogHandler>(new SdkLog));
    std::vector<std::unique_ptr<sdk::SpanProcessor>> processors;
    if (options.exporting.is_sent()) {
      processors.push_back(make_processor(options.exporting));
    }
    if (options.exporting.console) {
      processors.push_back(sdk::SimpleSpanProcessorFactory::Create(
          opentelemetry::exporter::trace::OStreamSpanExporterFactory::Create()));
    }
    provider_ = sdk::TracerProviderFactory::Create(
        std::move(processors), ThisProcess(options.resource).Detect(),
        make_sampler(options.sampler, options.sampled_share),
        sdk::RandomIdGeneratorFactory::Create());
    tracer_ = provider_->GetTracer(view(kScopeName), MAAS_VERSION, view(attribute::kSchemaUrl));
  }

  ~OtelRecorder() override {
    if (sender_) sender_->stop_at(Clock::now() + stop_timeout_);
    provider_->Shutdown();
    if (journey_->counts().dropped > 0) {
      log::warn("spans were lost", {{"exported", journey_->counts().exported},
                                    {"dropped", journey_->counts().dropped}});
    }
  }

  std::unique_ptr<Recording> begin(Kind kind, std::string_view name,
                                   const std::optional<TraceContext>& parent,
                                   std::chrono::nanoseconds already_lasted) override {
    api::StartSpanOptions options;
    options.kind = kind == Kind::server   ? api::SpanKind::kServer
                   : kind == Kind::client ? api::SpanKind::kClient
                                          : api::SpanKind::kInternal;
    if (already_lasted.count() > 0) {
      options.start_system_time = std::chrono::system_clock::now() - already_lasted;
      options.start_steady_time = Clock::now() - already_lasted;
    }
    if (parent) options.parent = sdk_context(*parent);
    return std::make_unique<OtelRecording>(tracer_->StartSpan(view(name), options), parent);
  }

  RecorderCounts counts() const override { return journey_->counts(); }

 private:
  std::unique_ptr<sdk::SpanProcessor> make_processor(const ExportOptions& options) {
    sender_ = std::make_shared<OtlpSender>(sender_options(options, options.batch_timeout));
    auto exporter = make_span_exporter(sender_, options.protocol == Protocol::json, journey_);
    sdk::BatchSpanProcessorOptions batches;
    batches.max_queue_size = options.queue;
    batches.max_export_batch_size = std::min(options.batch, options.queue);
    batches.schedule_delay_millis = options.delay;
    return std::make_unique<BoundedProcessor>(
        sdk::BatchSpanProcessorFactory::Create(std::move(exporter), batches), journey_);
  }

  static api::SpanContext sdk_context(const TraceContext& context) {
    const auto state = context.state.empty() ? api::TraceState::GetDefault()
                                             : api::TraceState::FromHeader(view(context.state));
    return {api::TraceId(context.trace_id), api::SpanId(context.span_id),
            api::TraceFlags(context.flags), context.remote, state};
  }

  std::shared_ptr<Journey> journey_;
  std::chrono::milliseconds stop_timeout_;
  std::shared_ptr<OtlpSender> sender_;  // null: none
  std::unique_ptr<sdk::TracerProvider> provider_;
  nostd::shared_ptr<api::Tracer> tracer_;
};

}  // namespace

std::unique_ptr<Recorder> make_otel_recorder(const TracerOptions& options) {
  return std::make_unique<OtelRecorder>(options);
}

}  // namespace maas::trace
