#include "ltm/mongo_search_index.hpp"

#include "core/log.hpp"
#include "ltm/mongo_error.hpp"
#include "ltm/mongo_index_setup.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace maas::ltm {
namespace {

using Clock = std::chrono::steady_clock;
using State = SearchIndexState;

constexpr std::chrono::seconds kPause{1};       // while an index is built
constexpr std::chrono::seconds kLongPause{30};  // while somebody has to do something

State exact(std::string why) {
  return {.description =
              "exact: a search ranks the memories of its scope in this process" + std::move(why)};
}

}  // namespace

struct MongoSearchIndex::Keeper {
  Keeper(MongoClient& given_client, std::string given_collection, VectorSpace given_space,
         SearchIndexOptions given_options)
      : client(given_client),
        collection(std::move(given_collection)),
        space(std::move(given_space)),
        options(std::move(given_options)),
        state(std::make_shared<const State>(exact(""))) {
    if (options.language.empty()) options.language = "none";
    if (options.store == VectorStore::exact || space.dims == 0) return;
    if (!see_to_it()) thread = std::thread([this] { keep(); });
  }

  ~Keeper() {
    {
      const std::lock_guard lock(mutex);
      is_stopping = true;
    }
    stop.notify_all();
    if (thread.joinable()) thread.join();
  }

  void keep() {
    auto pause = kPause;
    std::unique_lock lock(mutex);
    while (!stop.wait_for(lock, pause, [this] { return is_stopping; })) {
      lock.unlock();
      const bool is_settled = see_to_it();
      lock.lock();
      if (is_settled) return;
      pause = state->problem ? kLongPause : kPause;
    }
  }

  // True: nothing is left to do.
  bool see_to_it() {
    State found;
    try {
      client.use_at_length([&](MongoSession& session) { found = set_up(session); });
    } catch (const MongoError& error) {
      // The client tells while no server is there; what else goes wrong has to be told here.
      if (!error.meaning().unusable) publish(failed(error));
      return false;
    } catch (const Error&) {
      return false;  // nothing has been asked
    }
    const bool is_built = !found.is_ready && !found.problem && found.store != VectorStore::exact;
    if (is_built) lose_patience(found);
    const bool is_settled =
        !found.problem && !is_built &&
        (found.store != VectorStore::atlas || found.words != State::Words::nothing);
    publish(std::move(found));
    return is_settled;
  }

  // Some servers answer only when the index is built. They go on with it meanwhile.
  State failed(const MongoError& error) const {
    if (error.meaning().network) {
      if (state->is_ready) return *state;
      State found = exact("; the server has not told yet that its vector index is built");
      lose_patience(found);
      return found;
    }
    State found = exact("");
    found.problem = "The search indexes of MongoDB can't be seen to: " + error.detail();
    return found;
  }

  void lose_patience(State& found) const {
    if (Clock::now() - start > options.patience) {
      found.problem = found.description + ", for longer than MAAS_VECTOR_INDEX_TIMEOUT_MS";
    }
  }

  State set_up(MongoSession& session) const {
    const IndexSetup setup{session, collection, space, options};
    NoSearch why;
    if (options.store != VectorStore::documentdb) {
      if (auto found = setup.atlas(why)) return std::move(*found);
    }
    if (options.store != VectorStore::atlas && !why.of_any_kind) {
      if (auto found = setup.documentdb(why)) return std::move(*found);
    }
    if (options.store == VectorStore::best) return exact("");
    return exact("; the server has no search of the kind that VECTOR_STORE_PROVIDER names: " +
                 why.reason);
  }

  void publish(State found) {
    const std::lock_guard lock(mutex);
    if (found.problem && found.problem != state->problem) {
      log::error("the search index of long-term memory can't be used",
                 {{"problem", *found.problem}});
    } else if (found.description != state->description) {
      log::info("how long-term memory is searched", {{"search", found.description}});
    }
    state = std::make_shared<const State>(std::move(found));
  }

  MongoClient& client;
  const std::string collection;
  const VectorSpace space;
  SearchIndexOptions options;
  const Clock::time_point start = Clock::now();

  std::mutex mutex;
  std::condition_variable stop;
  bool is_stopping = false;
  std::shared_ptr<const State> state;
  std::thread thread;
};

MongoSearchIndex::MongoSearchIndex(MongoClient& client, std::string collection, VectorSpace space,
                                   SearchIndexOptions options)
    : keeper_(std::make_unique<Keeper>(client, std::move(collection), std::move(space),
                                       std::move(options))) {}

MongoSearchIndex::~MongoSearchIndex() = default;

std::shared_ptr<const SearchIndexState> MongoSearchIndex::state() const {
  const std::lock_guard lock(keeper_->mutex);
  return keeper_->state;
}

}  // namespace maas::ltm
