#pragma once

#include "core/message.hpp"
#include "core/task.hpp"
#include "stm/message_store.hpp"
#include "stm/session.hpp"
#include "stm/summarizer.hpp"
#include "text/token_counter.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace maas::stm {

// A message as a caller gives it.
struct NewMessage {
  Role role = Role::user;
  std::string content;
  std::string metadata;  // the text of a JSON object; empty: none
};

// The window of a session that a model is shown.
struct Context {
  std::vector<Message> messages;  // oldest first
  Strategy strategy = Strategy::sliding_window;
  std::int64_t total_tokens = 0;
  std::size_t summarized = 0;  // messages that this call replaced by a summary
};

// The use cases of short-term memory. Thread-safe; throws what its store throws.
class ShortTermMemory {
 public:
  // Borrows all; they outlive it. Counts the tokens of long texts on `pool`.
  ShortTermMemory(MessageStore& store, Summarizer& summarizer, const ContextSettings& defaults,
                  text::Encoding encoding, boost::asio::thread_pool& pool);

  // The messages as stored, with their ids, times and token counts.
  Task<std::vector<Message>> append(const SessionKey& session, std::vector<NewMessage> messages);

  // The newest `limit` messages, oldest first; all without a limit, none for one below 1.
  Task<std::vector<Message>> messages(const SessionKey& session, std::optional<std::int64_t> limit);

  Task<Context> context(const SessionKey& session, const ContextOverrides& overrides);

  Task<SessionSettings> configure(const SessionKey& session, const SettingsChange& change);
  Task<ContextSettings> settings_in_force(const SessionKey& session);
  Task<> forget(const SessionKey& session);

 private:
  Task<> count_tokens(std::vector<Message>& messages);
  Task<std::optional<Message>> summary_of(std::span<const Message> messages,
                                          std::int64_t max_tokens, trace::Parent parent);
  Task<std::optional<Context>> threshold_context(const SessionKey& session,
                                                 std::vector<Message> messages,
                                                 std::int64_t max_tokens);

  MessageStore& store_;
  Summarizer& summarizer_;
  ContextSettings defaults_;
  text::Encoding encoding_;
  boost::asio::thread_pool& pool_;
};

}  // namespace maas::stm
