// The contract of MessageStore, on every engine.
#include "stm/message_store.hpp"

#include "core/error.hpp"
#include "core/ids.hpp"
#include "support/memory_message_store.hpp"
#include "support/run_task.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

namespace maas::stm {
namespace {

using namespace std::chrono_literals;

// An engine that runs, with the stores that a test asks for.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::unique_ptr<MessageStore> store(TimeToLive ttl) = 0;
  // Lets time pass for the engine.
  virtual void pass(std::chrono::seconds time) = 0;

  test::RunningLoops running{2};
};

class SqliteEngine final : public Engine {
 public:
  ~SqliteEngine() override {
    running.loops.abort();
    pool_.join();
  }
  std::unique_ptr<MessageStore> store(TimeToLive ttl) override {
    return make_sqlite_message_store(database_, ttl, [this] { return now() + ahead_.load(); });
  }
  void pass(std::chrono::seconds time) override { ahead_ = ahead_.load() + time; }

 private:
  test::TemporaryDirectory directory_;
  boost::asio::thread_pool pool_{2};
  std::string_view migrations_[1] = {kSqliteSchema};
  sqlite::Database database_{{.file = directory_.path() / "maas.db"}, migrations_, pool_};
  std::atomic<std::chrono::seconds> ahead_{0s};
};

class RedisEngine final : public Engine {
 public:
  explicit RedisEngine(std::string url) : url_(std::move(url)) {}
  ~RedisEngine() override { running.loops.abort(); }
  std::unique_ptr<MessageStore> store(TimeToLive ttl) override {
    return make_redis_message_store({.url = url_, .ca_file = {}, .timeout = 5s}, running.loops,
                                    ttl);
  }
  // Redis has its own clock: nothing but waiting helps.
  void pass(std::chrono::seconds time) override { std::this_thread::sleep_for(time + 50ms); }

 private:
  std::string url_;
};

// The fake that other tests stand on keeps the same contract.
class MemoryEngine final : public Engine {
 public:
  ~MemoryEngine() override { running.loops.abort(); }
  std::unique_ptr<MessageStore> store(TimeToLive ttl) override {
    return std::make_unique<test::MemoryMessageStore>(ttl,
                                                      [this] { return now() + ahead_.load(); });
  }
  void pass(std::chrono::seconds time) override { ahead_ = ahead_.load() + time; }

 private:
  std::atomic<std::chrono::seconds> ahead_{0s};
};

Message message(std::string content, Role role = Role::user, std::string metadata = {}) {
  const auto tokens = static_cast<std::int64_t>(content.size());
  return {.id = make_id(),
          .timestamp = {},
          .role = role,
          .content = std::move(content),
          .metadata = std::move(metadata),
          .token_count = tokens};
}

std::vector<std::string> contents(const std::vector<Message>& messages) {
  std::vector<std::string> found;
  for (const Message& each : messages) found.push_back(each.content);
  return found;
}

class MessageStoreContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "sqlite") {
      engine_ = std::make_unique<SqliteEngine>();
    } else if (GetParam() == "memory") {
      engine_ = std::make_unique<MemoryEngine>();
    } else {
      const char* url = std::getenv("MAAS_TEST_REDIS_URL");
      if (!url) GTEST_SKIP() << "MAAS_TEST_REDIS_URL names no Redis";
      engine_ = std::make_unique<RedisEngine>(url);
    }
    store_ = engine_->store(std::nullopt);
  }
  // A store's connections end with the loops they run on.
  void TearDown() override {
    if (engine_) engine_->running.loops.abort();
    store_.reset();
  }

  template <class T>
  T run(Task<T> task) {
    return engine_->running.run(std::move(task));
  }

  Timestamp append(const SessionKey& key, std::vector<Message>& messages) {
    Timestamp time = run(store_->append(key, messages)).first;
    const Timestamp first = time;
    for (Message& each : messages) {
      each.timestamp = time;
      time += 1us;
    }
    return first;
  }

  std::vector<Message> append_texts(const SessionKey& key, const std::vector<std::string>& texts) {
    std::vector<Message> messages;
    for (const std::string& text : texts) messages.push_back(message(text));
    append(key, messages);
    return messages;
  }

  std::vector<Message> all(const SessionKey& key) {
    return run(store_->newest(key, std::numeric_limits<std::size_t>::max()));
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MessageStore> store_;
  const SessionKey key_{.tenant = "tenant", .session = make_id()};
};

TEST_P(MessageStoreContract, KeepsEveryFieldOfAMessage) {
  std::vector<Message> messages{
      message(std::string("nul \0 inside", 12), Role::assistant, R"({"a":{"b":[1,2.5,"ü"]}})"),
      message("", Role::system), message("😀 <|endoftext|>\n", Role::summary)};
  append(key_, messages);

  const std::vector<Message> stored = all(key_);

  ASSERT_EQ(stored.size(), messages.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(stored[i].id, messages[i].id);
    EXPECT_EQ(stored[i].timestamp, messages[i].timestamp);
    EXPECT_EQ(stored[i].role, messages[i].role);
    EXPECT_EQ(stored[i].content, messages[i].content);
    EXPECT_EQ(stored[i].metadata, messages[i].metadata);
    EXPECT_EQ(stored[i].token_count, messages[i].token_count);
  }
}

TEST_P(MessageStoreContract, GivesTimestampsThatRiseStrictly) {
  Timestamp last{};
  for (int i = 0; i < 50; ++i) {
    std::vector<Message> messages{message("a"), message("b"), message("c")};
    const Timestamp first = append(key_, messages);
    EXPECT_GT(first, last);
    last = messages.back().timestamp;
  }
  EXPECT_NEAR(static_cast<double>(last.time_since_epoch().count()),
              static_cast<double>(now().time_since_epoch().count()), 60e6);
}

TEST_P(MessageStoreContract, ReturnsTheNewestOldestFirst) {
  append_texts(key_, {"1", "2", "3", "4"});
  EXPECT_EQ(contents(run(store_->newest(key_, 2))), (std::vector<std::string>{"3", "4"}));
  EXPECT_EQ(contents(run(store_->newest(key_, 9))), (std::vector<std::string>{"1", "2", "3", "4"}));
  EXPECT_TRUE(run(store_->newest(key_, 0)).empty());
}

TEST_P(MessageStoreContract, KnowsNothingOfASessionThatDoesNotExist) {
  EXPECT_TRUE(all(key_).empty());
  const SessionSettings settings = run(store_->settings(key_));
  EXPECT_FALSE(settings.strategy || settings.max_messages || settings.max_tokens);
  EXPECT_NO_THROW(run(store_->forget(key_)));
}

TEST_P(MessageStoreContract, KeepsTenantsAndSessionsApart) {
  const std::vector<SessionKey> keys{{"a", "b/c"}, {"a/b", "c"},        {"a", "b%2Fc"},
                                     {"a}", "{b"}, {"a", "b:messages"}, {"a", "b"},
                                     {"a", "b "},  {"a", "*"}};
  const std::string run_id = make_id();
  for (const SessionKey& key : keys) {
    append_texts({run_id + key.tenant, key.session}, {key.tenant + " " + key.session});
  }
  for (const SessionKey& key : keys) {
    EXPECT_EQ(contents(all({run_id + key.tenant, key.session})),
              std::vector<std::string>{key.tenant + " " + key.session});
  }
}

TEST_P(MessageStoreContract, ForgetsMessagesAndSettings) {
  append_texts(key_, {"1"});
  run(store_->change_settings(key_, {.strategy = {}, .max_messages = 3, .max_tokens = {}}));
  run(store_->forget(key_));
  EXPECT_TRUE(all(key_).empty());
  EXPECT_FALSE(run(store_->settings(key_)).max_messages);
}

TEST_P(MessageStoreContract, ChangesOnlyTheSettingsThatAreNamed) {
  run(store_->change_settings(
      key_, {.strategy = Strategy::token_threshold, .max_messages = 3, .max_tokens = 100}));
  const SessionSettings changed = run(store_->change_settings(
      key_, {.strategy = {}, .max_messages = std::optional<std::int64_t>{}, .max_tokens = 200}));
  EXPECT_EQ(changed.strategy, Strategy::token_threshold);
  EXPECT_EQ(changed.max_messages, std::nullopt);
  EXPECT_EQ(changed.max_tokens, 200);
  const SessionSettings read = run(store_->settings(key_));
  EXPECT_EQ(read.strategy, changed.strategy);
  EXPECT_EQ(read.max_messages, changed.max_messages);
  EXPECT_EQ(read.max_tokens, changed.max_tokens);
}

TEST_P(MessageStoreContract, SnapshotsTheWindowThatTheSettingsAskFor) {
  append_texts(key_, {"1", "2", "3", "4"});
  const ContextSettings defaults{.strategy = Strategy::sliding_window, .max_messages = 3};
  EXPECT_EQ(run(store_->snapshot(key_, defaults, {})).messages.size(), 3u);
  EXPECT_EQ(
      run(store_->snapshot(key_, defaults, {.max_messages = 1, .max_tokens = {}})).messages.size(),
      1u);
  run(store_->change_settings(key_, {.strategy = {}, .max_messages = 2, .max_tokens = {}}));
  EXPECT_EQ(contents(run(store_->snapshot(key_, defaults, {})).messages),
            (std::vector<std::string>{"3", "4"}));
  run(store_->change_settings(
      key_, {.strategy = Strategy::token_threshold, .max_messages = {}, .max_tokens = {}}));
  const SessionSnapshot whole = run(store_->snapshot(key_, defaults, {}));
  EXPECT_EQ(whole.messages.size(), 4u);
  EXPECT_EQ(whole.settings.strategy, Strategy::token_threshold);
  EXPECT_EQ(whole.settings.max_messages, 2);
}

TEST_P(MessageStoreContract, PutsASummaryWhereTheOldestMessagesStood) {
  const std::vector<Message> messages = append_texts(key_, {"1", "2", "3", "4"});
  Message summary = message("sum", Role::summary);
  summary.timestamp = messages[1].timestamp;

  EXPECT_TRUE(run(store_->summarize(key_, std::span(messages).first(2), summary)));

  const std::vector<Message> stored = all(key_);
  EXPECT_EQ(contents(stored), (std::vector<std::string>{"sum", "3", "4"}));
  EXPECT_EQ(stored[0].timestamp, messages[1].timestamp);
  EXPECT_EQ(stored[1].id, messages[2].id);
  EXPECT_EQ(stored[2].timestamp, messages[3].timestamp);
}

TEST_P(MessageStoreContract, SummarizesAllMessagesOfASession) {
  const std::vector<Message> messages = append_texts(key_, {"1", "2"});
  Message summary = message("sum", Role::summary);
  summary.timestamp = messages.back().timestamp;
  EXPECT_TRUE(run(store_->summarize(key_, messages, summary)));
  append_texts(key_, {"3"});
  EXPECT_EQ(contents(all(key_)), (std::vector<std::string>{"sum", "3"}));
}

TEST_P(MessageStoreContract, ChangesNothingWhenTheOldestMessagesHaveChanged) {
  const std::vector<Message> messages = append_texts(key_, {"1", "2", "3"});
  Message summary = message("sum", Role::summary);
  summary.timestamp = messages[1].timestamp;
  EXPECT_FALSE(run(store_->summarize(key_, std::span(messages).subspan(1, 2), summary)));
  EXPECT_TRUE(run(store_->summarize(key_, std::span(messages).first(2), summary)));
  summary.id = make_id();
  EXPECT_FALSE(run(store_->summarize(key_, std::span(messages).first(2), summary)));
  EXPECT_EQ(contents(all(key_)), (std::vector<std::string>{"sum", "3"}));
  run(store_->forget(key_));
  EXPECT_FALSE(run(store_->summarize(key_, std::span(messages).first(2), summary)));
}

TEST_P(MessageStoreContract, LetsOneOfTwoConcurrentSummariesTakeEffect) {
  for (int round = 0; round < 20; ++round) {
    const SessionKey key{"tenant", make_id()};
    const std::vector<Message> messages = append_texts(key, {"1", "2", "3"});
    const auto summarize = [&](std::size_t loop) {
      Message summary = message("sum", Role::summary);
      summary.timestamp = messages[1].timestamp;
      return engine_->running.run(store_->summarize(key, std::span(messages).first(2), summary),
                                  loop);
    };
    auto first = std::async(std::launch::async, [&] { return summarize(0); });
    const bool second = summarize(1);
    EXPECT_NE(first.get(), second);
    EXPECT_EQ(contents(all(key)), (std::vector<std::string>{"sum", "3"}));
  }
}

TEST_P(MessageStoreContract, KeepsEachListTogetherUnderConcurrentAppends) {
  constexpr int kThreads = 4;
  constexpr int kLists = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kLists; ++i) {
        const std::string name = std::to_string(t) + "." + std::to_string(i);
        std::vector<Message> messages{message(name + "a"), message(name + "b")};
        engine_->running.run(store_->append(key_, messages), static_cast<std::size_t>(t % 2));
      }
    });
  }
  for (auto& thread : threads) thread.join();

  const std::vector<Message> stored = all(key_);
  ASSERT_EQ(stored.size(), static_cast<std::size_t>(kThreads * kLists * 2));
  for (std::size_t i = 0; i < stored.size(); i += 2) {
    const std::string& a = stored[i].content;
    EXPECT_EQ(a.back(), 'a');
    EXPECT_EQ(stored[i + 1].content, a.substr(0, a.size() - 1) + "b");
    if (i > 0) {
      EXPECT_GT(stored[i].timestamp, stored[i - 1].timestamp);
    }
    EXPECT_GT(stored[i + 1].timestamp, stored[i].timestamp);
  }
}

TEST_P(MessageStoreContract, ExpiresMessagesAndSettingsTogether) {
  auto mortal = engine_->store(2s);
  std::vector<Message> messages{message("1")};
  run(mortal->append(key_, messages));
  run(mortal->change_settings(key_, {.strategy = {}, .max_messages = 3, .max_tokens = {}}));
  engine_->pass(1s);
  EXPECT_EQ(run(mortal->newest(key_, 9)).size(), 1u);
  engine_->pass(2s);
  EXPECT_TRUE(run(mortal->newest(key_, 9)).empty());
  EXPECT_FALSE(run(mortal->settings(key_)).max_messages);
  while (run(mortal->sweep())) {
  }
  run(mortal->append(key_, messages));
  EXPECT_EQ(run(mortal->newest(key_, 9)).size(), 1u);
  engine_->running.loops.abort();  // before the store whose connections run on them
}

TEST_P(MessageStoreContract, ReportsNoProblemWhileItServes) {
  EXPECT_EQ(run(store_->problem()), std::nullopt);
  EXPECT_EQ(store_->engine(), GetParam());
}

TEST_P(MessageStoreContract, ReadsSessionsOfManyMegabytes) {
  std::vector<Message> messages;
  for (int i = 0; i < 40; ++i) messages.push_back(message(std::string(100'000, 'x')));
  append(key_, messages);
  EXPECT_EQ(all(key_).size(), 40u);
  EXPECT_EQ(run(store_->snapshot(key_, {.max_messages = 5}, {})).messages.size(), 5u);
}

INSTANTIATE_TEST_SUITE_P(Engines, MessageStoreContract,
                         testing::Values("memory", "sqlite", "redis"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace maas::stm
