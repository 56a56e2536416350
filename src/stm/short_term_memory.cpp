#include "stm/short_term_memory.hpp"

#include "core/error.hpp"
#include "core/ids.hpp"
#include "core/log.hpp"
#include "core/offload.hpp"
#include "stm/context_strategy.hpp"
#include "trace/attributes.hpp"
#include "trace/metrics.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <limits>

namespace maas::stm {
namespace {

// Counted on the event loop up to here (~1 ms), on the pool above.
constexpr std::size_t kCountHereBytes = 16 * 1024;
// How often a context is planned anew because another reader summarized first.
constexpr int kMaxAttempts = 4;

std::string summary_metadata(std::string_view method, std::span<const Message> replaced) {
  const boost::json::object metadata{
      {"summary",
       {{"method", method}, {"messages", replaced.size()}, {"tokens", total_tokens(replaced)}}}};
  return boost::json::serialize(metadata);
}

Context context_of(std::span<const Message> messages, Strategy strategy) {
  return {.messages = {messages.begin(), messages.end()},
          .strategy = strategy,
          .total_tokens = total_tokens(messages)};
}

// What is to be summarized when the oldest of these have to go.
void tell_plan(trace::Span& span, std::span<const Message> messages) {
  if (!span) return;
  span.set(trace::attribute::kObservationType, "chain");
  span.set(trace::attribute::kStrategy, to_string(Strategy::token_threshold));
  span.set(trace::attribute::kMessagesIn, messages.size());
  span.set(trace::attribute::kTokensBefore, total_tokens(messages));
}

void count_appended(const Appended& appended, std::size_t messages) {
  trace::metrics().messages_appended.add(static_cast<double>(messages));
  if (appended.started) trace::metrics().sessions_started.add(1);
}

// The newest `count` of what a context holds.
void keep_newest(Context& context, std::int64_t count) {
  const auto surplus = static_cast<std::int64_t>(context.messages.size()) - count;
  if (surplus <= 0) return;
  context.messages.erase(context.messages.begin(), context.messages.begin() + surplus);
  context.total_tokens = total_tokens(context.messages);
}

}  // namespace

ShortTermMemory::ShortTermMemory(MessageStore& store, Summarizer& summarizer,
                                 const ContextSettings& defaults, text::Encoding encoding,
                                 boost::asio::thread_pool& pool)
    : store_(store),
      summarizer_(summarizer),
      defaults_(defaults),
      encoding_(encoding),
      pool_(pool) {}

Task<std::vector<Message>> ShortTermMemory::append(const SessionKey& session,
                                                   std::vector<NewMessage> messages) {
  std::vector<Message> stored;
  if (messages.empty()) co_return stored;
  stored.reserve(messages.size());
  for (NewMessage& message : messages) {
    stored.push_back({.id = make_id(),
                      .role = message.role,
                      .content = std::move(message.content),
                      .metadata = std::move(message.metadata)});
  }
  co_await count_tokens(stored);
  const Appended appended = co_await store_.append(session, stored);
  count_appended(appended, stored.size());
  Timestamp time = appended.first;
  for (Message& message : stored) {
    message.timestamp = time;
    time += std::chrono::microseconds{1};
  }
  co_return stored;
}

Task<> ShortTermMemory::count_tokens(std::vector<Message>& messages) {
  std::size_t bytes = 0;
  for (const Message& message : messages) bytes += message.content.size();
  auto count = [this, &messages] {
    for (Message& message : messages) {
      message.token_count = text::count_tokens(message.content, encoding_);
    }
    return true;
  };
  if (bytes <= kCountHereBytes) {
    count();
  } else {
    co_await offload(pool_, count);
  }
}

Task<std::vector<Message>> ShortTermMemory::messages(const SessionKey& session,
                                                     std::optional<std::int64_t> limit) {
  if (limit && *limit < 1) co_return std::vector<Message>{};
  const auto all = std::numeric_limits<std::int64_t>::max();
  co_return co_await store_.newest(session, static_cast<std::size_t>(limit.value_or(all)));
}

Task<Context> ShortTermMemory::context(const SessionKey& session,
                                       const ContextOverrides& overrides) {
  for (int attempt = 1;; ++attempt) {
    SessionSnapshot snapshot = co_await store_.snapshot(session, defaults_, overrides);
    ContextSettings settings = snapshot.settings.over(defaults_);
    settings.max_messages = overrides.max_messages.value_or(settings.max_messages);
    settings.max_tokens = overrides.max_tokens.value_or(settings.max_tokens);

    if (settings.strategy == Strategy::sliding_window) {
      // A limit that only this call asks for holds whatever the strategy.
      const std::span<const Message> window =
          overrides.max_tokens ? newest_within(snapshot.messages, *overrides.max_tokens)
                               : std::span<const Message>(snapshot.messages);
      co_return context_of(window, settings.strategy);
    }
    std::optional<Context> made;
    if (attempt < kMaxAttempts) {
      made = co_await threshold_context(session, snapshot.messages, settings.max_tokens);
    } else {
      made = context_of(newest_within(snapshot.messages, settings.max_tokens), settings.strategy);
    }
    if (!made) continue;
    if (overrides.max_messages) keep_newest(*made, *overrides.max_messages);
    co_return *std::move(made);
  }
}

// nullopt: someone else has changed the session's oldest messages meanwhile.
Task<std::optional<Context>> ShortTermMemory::threshold_context(const SessionKey& session,
                                                                std::vector<Message> messages,
                                                                std::int64_t max_tokens) {
  const ContextPlan plan = plan_token_threshold(messages, max_tokens);
  if (plan.to_summarize.empty()) co_return context_of(plan.window, Strategy::token_threshold);

  trace::Span span = session.parent.begin(trace::Kind::internal, "stm.summarize");
  tell_plan(span, messages);
  const SessionKey below{session.tenant, session.session, span.parent()};
  const std::optional<Message> summary =
      co_await summary_of(plan.to_summarize, plan.summary_tokens, below.parent);
  if (!summary) {
    trace::metrics().summaries.add(1, {"failed"});
    span.set(trace::attribute::kSummarized, 0);
    co_return context_of(newest_within(messages, max_tokens), Strategy::token_threshold);
  }
  const bool replaced = co_await store_.summarize(below, plan.to_summarize, *summary);
  trace::metrics().summaries.add(1, {replaced ? "stored" : "lost"});
  if (!replaced) co_return std::nullopt;

  Context context{.messages = {},
                  .strategy = Strategy::token_threshold,
                  .total_tokens = 0,
                  .summarized = plan.to_summarize.size()};
  context.messages.push_back(*summary);
  context.messages.insert(context.messages.end(), plan.window.begin(), plan.window.end());
  context.total_tokens = total_tokens(context.messages);
  span.set(trace::attribute::kSummarized, context.summarized);
  span.set(trace::attribute::kTokensAfter, context.total_tokens);
  co_return context;
}

// A message that stands for `messages`, at the time of their last; nullopt if none could be made.
Task<std::optional<Message>> ShortTermMemory::summary_of(std::span<const Message> messages,
                                                         std::int64_t max_tokens,
                                                         trace::Parent parent) {
  Summary summary;
  try {
    summary = co_await summarizer_.summarize(messages, max_tokens, std::move(parent));
  } catch (const Error& error) {
    log::warn("no summary could be made; the messages stay as they are",
              {{"error", error.what()}, {"detail", error.detail()}});
  }
  if (summary.content.empty()) co_return std::nullopt;
  Message message{
      .id = make_id(),
      .timestamp = messages.back().timestamp,
      .role = Role::summary,
      .content = std::string(text::prefix_within(summary.content, max_tokens, encoding_)),
      .metadata = summary_metadata(summary.method, messages)};
  message.token_count = text::count_tokens(message.content, encoding_);
  if (message.content.empty()) co_return std::nullopt;
  co_return message;
}

Task<SessionSettings> ShortTermMemory::configure(const SessionKey& session,
                                                 const SettingsChange& change) {
  co_return co_await store_.change_settings(session, change);
}

Task<ContextSettings> ShortTermMemory::settings_in_force(const SessionKey& session) {
  const SessionSettings settings = co_await store_.settings(session);
  co_return settings.over(defaults_);
}

Task<> ShortTermMemory::forget(const SessionKey& session) { co_await store_.forget(session); }

}  // namespace maas::stm
