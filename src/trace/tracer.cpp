#include "trace/tracer.hpp"

#include "trace/attributes.hpp"

namespace maas::trace {

Tracer::Tracer(std::unique_ptr<Recorder> recorder, const TracerOptions& options)
    : recorder_(std::move(recorder)),
      spans_(options.spans),
      remote_is_root_(options.remote_is_root) {}

Span Tracer::begin_request(std::string_view name, const std::optional<TraceContext>& caller,
                           std::chrono::nanoseconds already_lasted) const {
  Span span(*recorder_, spans_, recorder_->begin(Kind::server, name, caller, already_lasted));
  if (caller && remote_is_root_) {
    span.set(attribute::kIsAppRoot, true);
    span.set(attribute::kAsRoot, "true");
  }
  return span;
}

std::unique_ptr<Tracer> make_tracer(const TracerOptions& options) {
  if (!options.is_on()) return nullptr;
  return std::make_unique<Tracer>(make_otel_recorder(options), options);
}

}  // namespace maas::trace
