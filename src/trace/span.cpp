#include "trace/span.hpp"

#include "http/url.hpp"
#include "text/utf8.hpp"
#include "trace/attributes.hpp"

namespace maas::trace {
namespace {

std::vector<std::string> parts_of(std::string_view operation) {
  std::vector<std::string> parts;
  while (!operation.empty()) {
    const std::size_t end = std::min(operation.find('.'), operation.size());
    parts.emplace_back(operation.substr(0, end));
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

// What is known of a request, in the form in which each of its spans tells it.
struct Span::Known {
  Identity identity = {};
  std::vector<std::string> tags = {};
};

struct Parent::Place {
  Recorder& recorder;
  const SpanOptions& options;
  std::shared_ptr<Span::Known> known;  // null: nothing; never changed from here
  TraceContext context;
};

struct Span::State {
  Recorder& recorder;
  const SpanOptions& options;
  std::unique_ptr<Recording> recording;
  std::shared_ptr<Known> known = {};
  std::size_t attributes = 0;
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
    : state_(std::make_unique<State>(State{recorder, options, std::move(recording)})) {}
Span::Span(Span&&) noexcept = default;
Span& Span::operator=(Span&&) noexcept = default;
Span::~Span() = default;

Span::operator bool() const { return state_ && state_->recording->is_kept(); }

bool Span::captures_content() const { return *this && state_->options.capture_content; }

Parent Span::parent() const {
  if (!state_) return {};
  return Parent(std::make_shared<const Parent::Place>(Parent::Place{
      state_->recorder, state_->options, state_->known, state_->recording->context()}));
}

void Span::set(std::string_view name, std::string_view value) { set_value(name, value); }

void Span::set(std::string_view name, const std::vector<std::string>& values) {
  set_value(name, std::span<const std::string>(values));
}

void Span::set_value(std::string_view name, const Value& value) {
  if (!*this) return;
  const std::size_t most = state_->options.max_value_bytes;
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    const WellFormed told(*text, most);
    tell(name, told.text());
  } else if (const auto* texts = std::get_if<std::span<const std::string>>(&value)) {
    std::vector<std::string> told;
    for (const std::string& each : *texts) told.emplace_back(WellFormed(each, most).text());
    tell(name, std::span<const std::string>(told));
  } else {
    tell(name, value);
  }
}

void Span::identify(const Identity& identity) {
  if (!state_) return;
  // Known to this span alone it is changed in place, else the others keep what they have told.
  std::shared_ptr<Known> known = state_->known.use_count() == 1 ? state_->known
                                 : state_->known ? std::make_shared<Known>(*state_->known)
                                                 : std::make_shared<Known>();
  const std::size_t most = state_->options.max_value_bytes;
  const auto learn = [&](std::string_view name, std::string& old, const std::string& told) {
    if (!old.empty() || told.empty()) return false;
    old = WellFormed(told, most).text();
    tell(name, std::string_view(old));
    return true;
  };
  Identity& ours = known->identity;
  if (learn(attribute::kTraceName, ours.operation, identity.operation)) {
    known->tags = parts_of(ours.operation);
    tell(attribute::kTraceTags, std::span<const std::string>(known->tags));
  }
  learn(attribute::kUserId, ours.user, identity.user);
  learn(attribute::kSessionId, ours.session, identity.session);
  learn(attribute::kTraceAgentId, ours.agent, identity.agent);
  state_->known = std::move(known);
}

void Span::inherit(std::shared_ptr<Known> known) {
  const Identity& identity = known->identity;
  const auto tell_text = [this](std::string_view name, const std::string& text) {
    if (!text.empty()) tell(name, std::string_view(text));
  };
  tell_text(attribute::kTraceName, identity.operation);
  if (!known->tags.empty()) {
    tell(attribute::kTraceTags, std::span<const std::string>(known->tags));
  }
  tell_text(attribute::kUserId, identity.user);
  tell_text(attribute::kSessionId, identity.session);
  tell_text(attribute::kTraceAgentId, identity.agent);
  state_->known = std::move(known);
}

void Span::tell(std::string_view name, const Value& value) {
  if (!*this || state_->attributes >= state_->options.max_attributes) return;
  ++state_->attributes;
  state_->recording->set(name, value);
}

std::string_view Span::session() const {
  return state_ && state_->known ? std::string_view(state_->known->identity.session)
                                 : std::string_view();
}

void Span::rename(std::string_view name) {
  if (state_) state_->recording->rename(name);
}

void Span::fail(std::string_view error_type, std::string_view description) {
  if (!state_) return;
  set(attribute::kErrorType, error_type);
  state_->recording->fail(WellFormed(description, 0).text());
}

std::optional<TraceContext> Span::context() const {
  if (!state_) return std::nullopt;
  return state_->recording->context();
}

std::vector<std::pair<std::string, std::string>> Span::headers() const {
  std::vector<std::pair<std::string, std::string>> headers;
  if (!state_ || !state_->options.propagate) return headers;
  const TraceContext context = state_->recording->context();
  headers.emplace_back("traceparent", traceparent(context));
  if (!context.state.empty()) headers.emplace_back("tracestate", context.state);
  return headers;
}

}  // namespace maas::trace
