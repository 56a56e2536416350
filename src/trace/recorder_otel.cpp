#include "core/log.hpp"
#include "trace/attributes.hpp"
#include "trace/sdk_log.hpp"
#include "trace/sdk_options_otel.hpp"
#include "trace/tracer.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <opentelemetry/exporters/ostream/span_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
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
namespace common = opentelemetry::sdk::common;
namespace nostd = opentelemetry::nostd;
namespace otlp = opentelemetry::exporter::otlp;
namespace sdk = opentelemetry::sdk::trace;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenWarnings{60};
constexpr std::size_t kMostProblemBytes = 300;
// The SDK's exporter calls every export a success (as of 1.19); this line in its log tells
// otherwise.
constexpr std::string_view kExportFailed = "[OTLP TRACE HTTP Exporter] ERROR: Export ";

nostd::string_view view(std::string_view text) { return {text.data(), text.size()}; }

// What becomes of the spans on their way to a collector. Shared with the SDK's threads.
class Journey {
 public:
  explicit Journey(std::size_t most_waiting) : most_waiting_(most_waiting) {}

  // False: too many wait, and this one is lost.
  bool begin() {
    if (waiting_.fetch_add(1, std::memory_order_relaxed) < most_waiting_) return true;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    lose(1);
    return false;
  }

  void end(std::size_t spans, bool exported) {
    waiting_.fetch_sub(spans, std::memory_order_relaxed);
    if (exported) {
      exported_.fetch_add(spans, std::memory_order_relaxed);
    } else {
      lose(spans);
    }
  }

  // What the SDK says is wrong, to be told with the spans that it cost.
  void note(std::string_view problem) {
    if (problem.starts_with(kExportFailed)) {
      ++failures_;
      return;
    }
    const std::lock_guard lock(mutex_);
    problem_.assign(problem.substr(0, kMostProblemBytes));
    std::ranges::replace_if(
        problem_, [](char c) { return c < ' ' || c > '~'; }, ' ');
  }

  std::uint64_t failures() const { return failures_; }
  RecorderCounts counts() const {
    return {.exported = exported_, .dropped = dropped_, .waiting = waiting_};
  }

 private:
  void lose(std::size_t spans) {
    const std::uint64_t dropped = dropped_.fetch_add(spans, std::memory_order_relaxed) + spans;
    const std::lock_guard lock(mutex_);
    const auto time = Clock::now();
    if (warned_ && time - *warned_ < kBetweenWarnings) return;
    warned_ = time;
    log::warn(
        "spans are lost: the collector of traces can't be reached, refuses them or is too slow",
        {{"dropped", dropped}, {"detail", problem_}});
  }

  const std::size_t most_waiting_;
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<std::uint64_t> exported_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;  // exports
  std::mutex mutex_;
  std::string problem_;
  std::optional<Clock::time_point> warned_;
};

// Counts what arrives, and can be told when to stop trying.
class CountingExporter final : public sdk::SpanExporter {
 public:
  CountingExporter(std::unique_ptr<sdk::SpanExporter> exporter, std::shared_ptr<Journey> journey)
      : exporter_(std::move(exporter)), journey_(std::move(journey)) {}

  std::unique_ptr<sdk::Recordable> MakeRecordable() noexcept override {
    return exporter_->MakeRecordable();
  }

  common::ExportResult Export(
      const nostd::span<std::unique_ptr<sdk::Recordable>>& spans) noexcept override {
    const std::size_t count = spans.size();
    const std::uint64_t failures = journey_->failures();
    common::ExportResult result = common::ExportResult::kFailure;
    if (Clock::now() < stops_at_.load()) result = exporter_->Export(spans);
    if (journey_->failures() != failures) result = common::ExportResult::kFailure;
    journey_->end(count, result == common::ExportResult::kSuccess);
    return result;
  }

  bool ForceFlush(std::chrono::microseconds timeout) noexcept override {
    return exporter_->ForceFlush(timeout);
  }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override {
    return exporter_->Shutdown(timeout);
  }

  // Exports nothing any more from then on.
  void stop_at(Clock::time_point time) { stops_at_ = time; }

 private:
  std::unique_ptr<sdk::SpanExporter> exporter_;
  std::shared_ptr<Journey> journey_;
  std::atomic<Clock::time_point> stops_at_ = Clock::time_point::max();
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

std::unique_ptr<sdk::SpanExporter> make_exporter(const ExportOptions& options) {
  const auto timeout = std::min(options.batch_timeout, options.stop_timeout / 2);
  return otlp::OtlpHttpExporterFactory::Create(
      make_target<otlp::OtlpHttpExporterOptions>(options, timeout));
}

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
    listen_to_sdk([journey = journey_](std::string_view problem) { journey->note(problem); });
    std::vector<std::unique_ptr<sdk::SpanProcessor>> processors;
    if (options.exporting.is_sent()) {
      processors.push_back(make_processor(options.exporting));
    }
    if (options.exporting.console) {
      processors.push_back(sdk::SimpleSpanProcessorFactory::Create(
          opentelemetry::exporter::trace::OStreamSpanExporterFactory::Create()));
    }
    provider_ = sdk::TracerProviderFactory::Create(
        std::move(processors), ProcessDetector(options.resource).Detect(),
        make_sampler(options.sampler, options.sampled_share),
        sdk::RandomIdGeneratorFactory::Create());
    tracer_ = provider_->GetTracer("maas", MAAS_VERSION, view(attribute::kSchemaUrl));
  }

  ~OtelRecorder() override {
    // The SDK can't end a request that is on its way; none takes longer than half of the time.
    if (exporter_) exporter_->stop_at(Clock::now() + stop_timeout_ / 2);
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
    auto exporter = std::make_unique<CountingExporter>(make_exporter(options), journey_);
    exporter_ = exporter.get();
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
  CountingExporter* exporter_ = nullptr;  // of the provider
  std::unique_ptr<sdk::TracerProvider> provider_;
  nostd::shared_ptr<api::Tracer> tracer_;
};

}  // namespace

std::unique_ptr<Recorder> make_otel_recorder(const TracerOptions& options) {
  return std::make_unique<OtelRecorder>(options);
}

}  // namespace maas::trace
