// The contract of MemoryStore, on every engine: what its tests share.
#pragma once

#include "core/ids.hpp"
#include "ltm/memory_archive.hpp"
#include "ltm/memory_store_mongo.hpp"
#include "ltm/memory_store_sqlite.hpp"
#include "support/run_task.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace maas::ltm {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

inline constexpr std::size_t kDims = 16;
inline constexpr std::size_t kEverything = 1'000'000;
inline const Timestamp kStart{std::chrono::hours(24 * 365 * 55)};

// An engine that keeps its data while it lives, with the stores that a test opens on them.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::unique_ptr<MemoryStore> store(const std::string& model) = 0;
  virtual std::unique_ptr<MemoryArchive> archive(const VectorSpace& space) = 0;
  // Ends all connections; the stores that used them are gone.
  virtual void restart() = 0;

  Timestamp time() const { return kStart + ahead_.load(); }
  void pass(std::chrono::microseconds time) { ahead_ = ahead_.load() + time; }

  test::RunningLoops running{2};

 private:
  std::atomic<std::chrono::microseconds> ahead_{0us};
};

class SqliteEngine final : public Engine {
 public:
  explicit SqliteEngine(PartitionCacheOptions cache) : cache_(std::move(cache)) { open(); }
  ~SqliteEngine() override {
    running.loops.abort();
    pool_.join();
  }
  std::unique_ptr<MemoryStore> store(const std::string& model) override {
    return make_sqlite_memory_store(*database_, pool_, {.cache = cache_, .model = model},
                                    [this] { return time(); });
  }
  std::unique_ptr<MemoryArchive> archive(const VectorSpace& space) override {
    return make_sqlite_memory_archive(*database_, space);
  }
  void restart() override {
    database_.reset();
    open();
  }

 private:
  void open() {
    const std::string_view migrations[] = {kSqliteSchema};
    const sqlite::Options options{.file = directory_.path() / "maas.db"};
    database_ = std::make_unique<sqlite::Database>(options, migrations, pool_);
  }

  PartitionCacheOptions cache_;
  test::TemporaryDirectory directory_;
  boost::asio::thread_pool pool_{3};
  std::unique_ptr<sqlite::Database> database_;
};

// A database of its own on a MongoDB-wire server that a variable of the environment names.
class MongoEngine final : public Engine {
 public:
  MongoEngine(std::string uri, VectorStore search, bool transactions) : search_(search) {
    server_.uri = std::move(uri);
    server_.transactions = transactions;
    server_.database = "contract-" + make_id();
    server_.timeout = 60s;  // for a sanitizer on a small machine that does much else
  }
  ~MongoEngine() override {
    running.loops.abort();
    MongoClient(server_).use([](MongoSession& session) {
      Document command;
      session.command(command.set("dropDatabase", 1));
    });
  }
  std::unique_ptr<MemoryStore> store(const std::string& model) override {
    MongoMemoryStoreOptions options{.server = server_, .model = model};
    options.search.cache.partition = {.dims = kDims, .language = "english"};
    options.search.index.store = search_;
    // The scopes of these tests are small; where the server can search, it shall.
    options.search.local_vectors = 0;
    // 1: of every scope but the smallest the server gives candidates.
    if (const char* limit = std::getenv("MAAS_TEST_PARTITION_LIMIT")) {
      options.search.scan_limit = std::stoul(limit);
    }
    auto store = make_mongo_memory_store(std::move(options), [this] { return time(); });
    wait_for_index(*store, model);
    return store;
  }
  std::unique_ptr<MemoryArchive> archive(const VectorSpace& space) override {
    return make_mongo_memory_archive(server_, space);
  }
  void restart() override {}

  const MongoOptions& server() const { return server_; }

 private:
  void wait_for_index(const MemoryStore& store, const std::string& model) const {
    if (search_ == VectorStore::exact || model.empty()) return;
    for (int i = 0; i < 600 && store.note().find(" finds") == std::string::npos; ++i) {
      std::this_thread::sleep_for(100ms);
    }
    ASSERT_NE(store.note().find(" finds"), std::string::npos) << store.note();
  }

  MongoOptions server_;
  VectorStore search_;
};

inline PartitionCacheOptions cache_options() {
  return {.partition = {.dims = kDims, .language = "english"}};
}

// Null: the engine's server isn't there.
inline std::unique_ptr<Engine> make_engine(const std::string& name) {
  struct Server {
    std::string name;
    const char* uri;
    VectorStore search;
    bool transactions = true;
  };
  const Server servers[] = {
      {"mongodb", std::getenv("MAAS_TEST_MONGODB_URI"), VectorStore::exact},
      {"mongodb_without_transactions", std::getenv("MAAS_TEST_MONGODB_URI"), VectorStore::exact,
       false},
      {"documentdb", std::getenv("MAAS_TEST_DOCUMENTDB_URI"), VectorStore::documentdb},
      {"atlas", std::getenv("MAAS_TEST_ATLAS_URI"), VectorStore::atlas}};
  for (const Server& server : servers) {
    if (name != server.name) continue;
    if (!server.uri) return nullptr;
    return std::make_unique<MongoEngine>(server.uri, server.search, server.transactions);
  }
  PartitionCacheOptions cache = cache_options();
  // Every search loads its partition, and no event loop does any of the work.
  if (name == "sqlite_forgetful") {
    cache.max_bytes = 1;
    cache.small = 0;
  }
  if (name == "sqlite_indexed") cache.partition.hnsw_threshold = 8;
  return std::make_unique<SqliteEngine>(std::move(cache));
}

// Texts that share words are near each other.
inline llm::Vector vector_of(std::string_view text) {
  llm::Vector vector(kDims);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    std::mt19937 random(
        static_cast<std::uint32_t>(std::hash<std::string_view>()(text.substr(begin, end - begin))));
    for (float& each : vector) each += std::normal_distribution<float>()(random);
    begin = end + 1;
  }
  float norm = 0;
  for (const float each : vector) norm += each * each;
  for (float& each : vector) each /= std::sqrt(std::max(norm, 1e-9f));
  return vector;
}

inline Filter compare(Filter::Field field, Filter::Operator op, boost::json::value operand,
                      std::string key = {}) {
  Filter filter;
  filter.kind = Filter::Kind::compare;
  filter.field = field;
  filter.op = op;
  filter.operand = std::move(operand);
  filter.key = std::move(key);
  return filter;
}

inline ListQuery first(std::size_t limit) {
  ListQuery query;
  query.limit = limit;
  return query;
}

inline ListQuery of(Category category, std::size_t limit = kEverything) {
  ListQuery query = first(limit);
  query.category = category;
  return query;
}

inline Texts texts_of(const std::vector<MemoryPtr>& memories) {
  Texts texts;
  for (const MemoryPtr& memory : memories) texts.push_back(memory->text);
  return texts;
}

inline Texts texts_of_hits(const std::vector<SearchHit>& hits) {
  Texts texts;
  for (const SearchHit& hit : hits) texts.push_back(hit.memory->text);
  return texts;
}

class MemoryStoreContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    engine_ = make_engine(GetParam());
    if (!engine_) GTEST_SKIP() << "no variable of the environment names such a server";
    store_ = engine_->store("model");
  }
  void TearDown() override {
    if (engine_) engine_->running.loops.abort();
    store_.reset();
  }

  template <class T>
  T run(Task<T> task, std::size_t loop = 0) {
    return engine_->running.run(std::move(task), loop);
  }

  void restart(const std::string& model = "model") {
    store_.reset();
    engine_->restart();
    store_ = engine_->store(model);
  }

  NewMemory said(std::string text, Scope scope = {.user_id = "u"}) {
    const Timestamp time = engine_->time();
    engine_->pass(1ms);
    llm::Vector vector = vector_of(text);
    return {.memory = {.id = make_id(),
                       .scope = std::move(scope),
                       .text = std::move(text),
                       .created_at = time,
                       .updated_at = time},
            .vector = std::move(vector)};
  }

  NewMemory mortal(std::string text, std::chrono::microseconds ttl,
                   Scope scope = {.user_id = "u"}) {
    NewMemory memory = said(std::move(text), std::move(scope));
    memory.memory.expires_at = engine_->time() + ttl;
    return memory;
  }

  Added add(NewMemory memory, std::string_view tenant = "t") {
    std::vector<NewMemory> memories;
    memories.push_back(std::move(memory));
    return run(store_->add(tenant, std::move(memories))).at(0);
  }
  MemoryPtr add(std::string text, Scope scope = {.user_id = "u"}) {
    return add(said(std::move(text), std::move(scope))).memory;
  }
  void add_all(const Texts& texts, const Scope& scope = {.user_id = "u"}) {
    std::vector<NewMemory> memories;
    for (const std::string& text : texts) memories.push_back(said(text, scope));
    run(store_->add("t", std::move(memories)));
  }

  MemoryPtr update(const MemoryPtr& memory, const std::string& text, std::size_t loop = 0) {
    Memory changed = *memory;
    changed.text = text;
    changed.updated_at = engine_->time();
    return run(store_->update("t", changed, vector_of(text)), loop);
  }

  bool remove(const std::string& id, std::string_view tenant = "t") {
    return run(store_->remove(tenant, std::span(&id, 1))).at(0);
  }

  std::vector<MemoryPtr> list(const Scope& scope = {.user_id = "u"}, ListQuery query = {},
                              std::string_view tenant = "t") {
    return run(store_->list(tenant, scope, query));
  }
  Texts texts(const Scope& scope = {.user_id = "u"}) {
    return texts_of(list(scope, first(kEverything)));
  }

  std::vector<SearchHit> hits(const std::string& text, const Scope& scope = {.user_id = "u"},
                              std::string_view tenant = "t") {
    const SearchQuery query{
        .text = text, .vector = vector_of(text), .limit = kEverything, .explain = true};
    return run(store_->search(tenant, scope, query));
  }
  Texts found(const std::string& text, const Scope& scope = {.user_id = "u"},
              std::string_view tenant = "t") {
    return texts_of_hits(hits(text, scope, tenant));
  }
  // What shares a word with the query.
  Texts worded(const std::string& text, const Scope& scope = {.user_id = "u"},
               std::string_view tenant = "t") {
    Texts texts =
        texts_of_hits(run(store_->search(tenant, scope, {.text = text, .limit = kEverything})));
    std::ranges::sort(texts);
    return texts;
  }

  std::vector<HistoryEntry> history(const std::string& id, std::string_view tenant = "t") {
    return run(store_->history(tenant, id));
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MemoryStore> store_;
  const Scope user_{.user_id = "u"};
};

inline void expect_same(const Memory& a, const Memory& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.scope, b.scope);
  EXPECT_EQ(a.category, b.category);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.speaker, b.speaker);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.updated_at, b.updated_at);
  EXPECT_EQ(a.expires_at, b.expires_at);
  EXPECT_EQ(a.version, b.version);
}

}  // namespace maas::ltm
