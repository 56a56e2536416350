#include "trace/span.hpp"

#include "http/url.hpp"
#include "text/utf8.hpp"
#include "trace/attributes.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <deque>

namespace maas::trace {
namespace {

using Texts = boost::container::small_vector<std::string_view, 4>;

Texts parts_of(std::string_view operation) {
  Texts parts;
  while (!operation.empty()) {
    const std::size_t end = std::min(operation.find('.'), operation.size());
    parts.push_back(operation.substr(0, end));
    operation.remove_prefix(std::min(end + 1, operation.size()));
  }
  return parts;
}

// At most `bytes` of it, no character cut in two.
std::string_view prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (text[bytes] & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

// What the wire takes: UTF-8. Clients send other bytes, too.
class WellFormed {
 public:
  WellFormed(std::string_view text, std::size_t max_bytes) : text_(text) {
    if (!text::is_valid_utf8(text)) {
      made_ = http::printable(text);
      text_ = made_;
    }
    if (max_bytes > 0) text_ = prefix(text_, max_bytes);
  }
  WellFormed(const WellFormed&) = delete;

  std::string_view text() const { return text_; }

 private:
  std::string made_;
  std::string_view text_;
};

}  // namespace

// What is known of a request, as each of its spans tells it.
struct Span::Known {
  std::string operation = {};
  std::string user = {};
  std::string session = {};
  std::string agent = {};
};

struct Parent::Place {
  Recorder& recorder;
  const SpanOptions& options;
  std::shared_ptr<Span::Known> known;  // null: nothing; never changed from here
  TraceContext context;
};

Span Parent::begin(Kind kind, std::string_view name) const {
  if (!place_) return {};
  Span span(place_->recorder, place_->options,
            place_->recorder.begin(kind, name, place_->context, std::chrono::nanoseconds(0)));
  if (place_->known) span.inherit(place_->known);
  return span;
}

bool Parent::captures_content() const { return place_ && place_->options.capture_content; }

Span::Span() noexcept = default;
Span::Span(Recorder& recorder, const SpanOptions& options, std::unique_ptr<Recording> recording)
    : recording_(std::move(recording)), recorder_(&recorder), options_(&options) {}
Span::Span(Span&&) noexcept = default;
Span& Span::operator=(Span&&) noexcept = default;
Span::~Span() = default;

Span::operator bool() const { return recording_ && recording_->is_kept(); }

bool Span::captures_content() const { return *this && options_->capture_content; }

Parent Span::parent() const {
  if (!recording_) return {};
  return Parent(std::make_shared<const Parent::Place>(
      Parent::Place{*recorder_, *options_, known_, recording_->context()}));
}

void Span::set(std::string_view name, std::string_view value) {
  if (!*this) return;
  const WellFormed told(value, options_->max_value_bytes);
  tell(name, told.text());
}

void Span::set(std::string_view name, std::span<const std::string_view> values) {
  if (!*this) return;
  std::deque<WellFormed> told;
  Texts texts;
  for (const std::string_view each : values) {
    texts.push_back(told.emplace_back(each, options_->max_value_bytes).text());
  }
  tell(name, std::span<const std::string_view>(texts));
}

void Span::identify(const Identity& identity) {
  if (!recording_) return;
  // Known to this span alone it is changed in place, else the others keep what they have told.
  std::shared_ptr<Known> known = known_.use_count() == 1 ? known_
                                 : known_                ? std::make_shared<Known>(*known_)
                                                         : std::make_shared<Known>();
  const auto learn = [&](std::string_view name, std::string& old, std::string_view told) {
    if (!old.empty() || told.empty()) return false;
    old = WellFormed(told, options_->max_value_bytes).text();
    tell(name, std::string_view(old));
    return true;
  };
  if (learn(attribute::kTraceName, known->operation, identity.operation)) {
    tell_tags(known->operation);
  }
  learn(attribute::kUserId, known->user, identity.user);
  learn(attribute::kSessionId, known->session, identity.session);
  learn(attribute::kTraceAgentId, known->agent, identity.agent);
  known_ = std::move(known);
}

void Span::inherit(std::shared_ptr<Known> known) {
  const auto tell_text = [this](std::string_view name, const std::string& text) {
    if (!text.empty()) tell(name, std::string_view(text));
  };
  tell_text(attribute::kTraceName, known->operation);
  tell_tags(known->operation);
  tell_text(attribute::kUserId, known->user);
  tell_text(attribute::kSessionId, known->session);
  tell_text(attribute::kTraceAgentId, known->agent);
  known_ = std::move(known);
}

void Span::tell(std::string_view name, const Value& value) {
  if (!*this || attributes_ >= options_->max_attributes) return;
  ++attributes_;
  recording_->set(name, value);
}

void Span::tell_tags(std::string_view operation) {
  if (operation.empty()) return;
  const Texts tags = parts_of(operation);
  tell(attribute::kTraceTags, std::span<const std::string_view>(tags));
}

std::string_view Span::session() const {
  return known_ ? std::string_view(known_->session) : std::string_view();
}

void Span::rename(std::string_view name) {
  if (recording_) recording_->rename(name);
}

void Span::fail(std::string_view error_type, std::string_view description) {
  if (!recording_) return;
  set(attribute::kErrorType, error_type);
  recording_->fail(WellFormed(description, 0).text());
}

std::optional<TraceContext> Span::context() const {
  if (!recording_) return std::nullopt;
  return recording_->context();
}

std::vector<std::pair<std::string, std::string>> Span::headers() const {
  std::vector<std::pair<std::string, std::string>> headers;
  if (!recording_ || !options_->propagate) return headers;
  const TraceContext context = recording_->context();
  headers.emplace_back("traceparent", traceparent(context));
  if (!context.state.empty()) headers.emplace_back("tracestate", context.state);
  return headers;
}

}  // namespace maas::trace
