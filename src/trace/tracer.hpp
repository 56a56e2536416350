// trace: what happened, when, below what. Knows nothing of memory; the SDK that exports is behind
// Recorder.
#pragma once

#include "trace/otlp_options.hpp"
#include "trace/recorder.hpp"
#include "trace/span.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::trace {

enum class Sampler {
  always_on,
  always_off,
  trace_id_ratio,
  parent_based_always_on,
  parent_based_always_off,
  parent_based_trace_id_ratio
};
// Where spans go and how.
struct ExportOptions : OtlpOptions {
  bool console = false;                             // to standard output, for looking at
  std::chrono::milliseconds batch_timeout{30'000};  // of one batch, with what is tried again
  std::chrono::milliseconds delay{5'000};           // between batches
  std::size_t queue = 2048;                         // spans that wait; more are dropped
  std::size_t batch = 512;                          // spans of one request
  std::chrono::milliseconds stop_timeout{10'000};   // for what waits when the process ends

  bool is_on() const { return console || is_sent(); }
};

struct TracerOptions {
  bool disabled = false;
  ExportOptions exporting = {};
  Sampler sampler = Sampler::parent_based_always_on;
  double sampled_share = 1;
  KeyValues resource = {};  // what tells this process from others: "service.name"
  SpanOptions spans = {};
  bool remote_is_root = true;  // what a caller's span began is shown as a root in Langfuse

  bool is_on() const { return !disabled && exporting.is_on(); }
};

// Begins the spans of requests. Thread-safe; outlives its spans and their parents.
class Tracer {
 public:
  Tracer(std::unique_ptr<Recorder> recorder, const TracerOptions& options);
  Tracer(const Tracer&) = delete;

  // The span of a request that arrived `already_lasted` ago, below that of a caller in another
  // process if it told of one.
  Span begin_request(std::string_view name, const std::optional<TraceContext>& caller,
                     std::chrono::nanoseconds already_lasted = {}) const;

  // Whether callers' spans are looked at, and upstreams told of ours.
  bool propagates() const { return spans_.propagate; }
  RecorderCounts counts() const { return recorder_->counts(); }

 private:
  std::unique_ptr<Recorder> recorder_;
  SpanOptions spans_;
  bool remote_is_root_;
};

// A recorder on the OpenTelemetry SDK: batches, in threads of its own. Its destructor sends what
// waits, for at most the time to stop, and tells in the log what was lost.
std::unique_ptr<Recorder> make_otel_recorder(const TracerOptions& options);

// Null when nothing is to be traced.
std::unique_ptr<Tracer> make_tracer(const TracerOptions& options);

}  // namespace maas::trace
