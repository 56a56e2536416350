#include "stm/observed_message_store.hpp"

#include "trace/database_call.hpp"

#include <utility>

namespace maas::stm {
namespace {

using trace::DatabaseCall;

class ObservedMessageStore final : public MessageStore {
 public:
  explicit ObservedMessageStore(std::unique_ptr<MessageStore> store) : store_(std::move(store)) {}

  std::string_view engine() const override { return store_->engine(); }
  Task<std::optional<std::string>> problem() override { return store_->problem(); }

  Task<Appended> append(const SessionKey& session, std::span<const Message> messages) override {
    auto tell = [count = messages.size()](DatabaseCall& call, const auto&) { call.batched(count); };
    return observed(session, "INSERT", store_->append(session, messages), tell);
  }

  Task<std::vector<Message>> newest(const SessionKey& session, std::size_t limit) override {
    auto tell = [](DatabaseCall& call, const auto& messages) { call.returned(messages.size()); };
    return observed(session, "SELECT", store_->newest(session, limit), tell);
  }

  Task<SessionSnapshot> snapshot(const SessionKey& session, const ContextSettings& defaults,
                                 const ContextOverrides& overrides) override {
    auto tell = [](DatabaseCall& call, const SessionSnapshot& snapshot) {
      call.returned(snapshot.messages.size());
    };
    return observed(session, "SELECT", store_->snapshot(session, defaults, overrides), tell);
  }

  Task<SessionSettings> settings(const SessionKey& session) override {
    return observed(session, "SELECT", store_->settings(session), nothing, "sessions");
  }

  Task<SessionSettings> change_settings(const SessionKey& session,
                                        const SettingsChange& change) override {
    return observed(session, "UPDATE", store_->change_settings(session, change), nothing,
                    "sessions");
  }

  Task<bool> summarize(const SessionKey& session, std::span<const Message> summarized,
                       const Message& summary) override {
    return observed(session, "UPDATE", store_->summarize(session, summarized, summary), nothing);
  }

  Task<> forget(const SessionKey& session) override {
    co_await observed(session, "DELETE", forgotten(session), nothing);
  }

  Task<bool> sweep() override { return store_->sweep(); }

 private:
  static constexpr auto nothing = [](DatabaseCall&, const auto&) {};

  template <class T, class Tell>
  Task<T> observed(const SessionKey& session, std::string_view operation, Task<T> task, Tell tell,
                   std::string_view collection = "messages") {
    const trace::Statement statement{
        .system = store_->engine(), .operation = operation, .collection = collection};
    return trace::observed(session.parent, statement, std::move(task), std::move(tell));
  }

  Task<bool> forgotten(const SessionKey& session) {
    co_await store_->forget(session);
    co_return true;
  }

  std::unique_ptr<MessageStore> store_;
};

}  // namespace

std::unique_ptr<MessageStore> observe(std::unique_ptr<MessageStore> store) {
  return std::make_unique<ObservedMessageStore>(std::move(store));
}

}  // namespace maas::stm
