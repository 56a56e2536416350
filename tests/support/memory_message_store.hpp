#pragma once

#include "stm/message_store.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace maas::test {

// Keeps sessions in memory.
class MemoryMessageStore final : public stm::MessageStore {
 public:
  explicit MemoryMessageStore(stm::TimeToLive ttl = std::nullopt,
                              std::function<Timestamp()> clock = now)
      : ttl_(ttl), clock_(std::move(clock)) {}

  // Forgets all sessions.
  void clear() {
    const std::lock_guard lock(mutex_);
    sessions_.clear();
  }

  std::string_view engine() const override { return "memory"; }

  Task<std::optional<std::string>> problem() override { co_return std::nullopt; }

  Task<stm::Appended> append(const stm::SessionKey& key,
                             std::span<const Message> messages) override {
    const std::lock_guard lock(mutex_);
    Session& session = open(key);
    const bool started = session.messages.empty();
    const Timestamp first = std::max(clock_(), session.last + kTick);
    session.last = first - kTick;
    for (const Message& message : messages) {
      session.last += kTick;
      session.messages.push_back(message);
      session.messages.back().timestamp = session.last;
    }
    co_return stm::Appended{.first = first, .started = started};
  }

  Task<std::vector<Message>> newest(const stm::SessionKey& key, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    const Session* session = find(key);
    if (!session) co_return std::vector<Message>{};
    co_return newest_of(*session, limit);
  }

  Task<stm::SessionSnapshot> snapshot(const stm::SessionKey& key,
                                      const stm::ContextSettings& defaults,
                                      const stm::ContextOverrides& overrides) override {
    const std::lock_guard lock(mutex_);
    const Session* session = find(key);
    if (!session) co_return stm::SessionSnapshot{};
    const stm::ContextSettings settings = session->settings.over(defaults);
    std::size_t limit = session->messages.size();
    if (settings.strategy == stm::Strategy::sliding_window) {
      limit = static_cast<std::size_t>(overrides.max_messages.value_or(settings.max_messages));
    }
    co_return stm::SessionSnapshot{session->settings, newest_of(*session, limit)};
  }

  Task<stm::SessionSettings> settings(const stm::SessionKey& key) override {
    const std::lock_guard lock(mutex_);
    const Session* session = find(key);
    co_return session ? session->settings : stm::SessionSettings{};
  }

  Task<stm::SessionSettings> change_settings(const stm::SessionKey& key,
                                             const stm::SettingsChange& change) override {
    const std::lock_guard lock(mutex_);
    stm::SessionSettings& settings = open(key).settings;
    if (change.strategy) settings.strategy = *change.strategy;
    if (change.max_messages) settings.max_messages = *change.max_messages;
    if (change.max_tokens) settings.max_tokens = *change.max_tokens;
    co_return settings;
  }

  Task<bool> summarize(const stm::SessionKey& key, std::span<const Message> summarized,
                       const Message& summary) override {
    const std::lock_guard lock(mutex_);
    Session* session = find(key);
    if (!session || summarized.size() > session->messages.size()) co_return false;
    const auto oldest = std::span(session->messages).first(summarized.size());
    if (!std::ranges::equal(oldest, summarized, {}, &Message::id, &Message::id)) co_return false;
    const auto begin = session->messages.begin();
    session->messages.erase(begin, begin + static_cast<std::ptrdiff_t>(summarized.size()));
    session->messages.insert(session->messages.begin(), summary);
    co_return true;
  }

  Task<> forget(const stm::SessionKey& key) override {
    const std::lock_guard lock(mutex_);
    sessions_.erase({key.tenant, key.session});
    co_return;
  }

  Task<bool> sweep() override {
    const std::lock_guard lock(mutex_);
    std::erase_if(sessions_, [this](const auto& entry) { return expired(entry.second); });
    co_return false;
  }

 private:
  static constexpr std::chrono::microseconds kTick{1};

  struct Session {
    std::vector<Message> messages;  // oldest first
    stm::SessionSettings settings;
    Timestamp last{};
    std::optional<Timestamp> expires_at;
  };

  static std::vector<Message> newest_of(const Session& session, std::size_t limit) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(limit, session.messages.size()));
    return {session.messages.end() - count, session.messages.end()};
  }

  bool expired(const Session& session) const {
    return session.expires_at && *session.expires_at <= clock_();
  }

  Session* find(const stm::SessionKey& key) {
    const auto found = sessions_.find({key.tenant, key.session});
    return found == sessions_.end() || expired(found->second) ? nullptr : &found->second;
  }

  // The session, made anew if it does not exist, with its time to live restarted.
  Session& open(const stm::SessionKey& key) {
    Session& session = sessions_[{key.tenant, key.session}];
    if (expired(session)) session = {};
    if (ttl_) session.expires_at = clock_() + *ttl_;
    return session;
  }

  stm::TimeToLive ttl_;
  std::function<Timestamp()> clock_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Session> sessions_;
};

}  // namespace maas::test
