#pragma once

#include "core/error.hpp"
#include "core/memory.hpp"
#include "core/task.hpp"
#include "llm/chat_client.hpp"
#include "llm/embedder.hpp"
#include "ltm/add_request.hpp"
#include "ltm/extraction.hpp"
#include "ltm/memory_store.hpp"
#include "ltm/reconciliation.hpp"

#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

// What is done with the facts of a conversation.
enum class Reconcile {
  full,      // the LLM says what each means for the memories that are there
  additive,  // they are added, unless they are there already
};

struct InferenceOptions {
  boost::asio::thread_pool* pool = nullptr;  // reads long conversations; null: the caller's loop
  ExtractionLimits limits;
  Reconcile reconcile = Reconcile::full;
  double duplicate_threshold = .95;        // cosine from which a fact is there already (additive)
  std::chrono::milliseconds time{22'500};  // that the model has for one request, all calls together
};

// The LLM gave no answer, or none that can be used. Nothing has been changed.
class InferenceError : public Error {
 public:
  explicit InferenceError(const Error& cause) : Error(cause) {}
};

// Turns conversations into memories by asking an LLM: which facts are in them, and what those mean
// for what is remembered already. Thread-safe; borrows its arguments.
class Inference {
 public:
  // A null embedder: memories are compared by their words alone.
  Inference(MemoryStore& store, llm::Embedder* embedder, llm::ChatClient& model,
            InferenceOptions options);

  // Changes the memories of the request's scope, all in one commit. The changes, then the memories
  // that held a fact already. `time` is now; `ttl_seconds` that of new memories. Throws
  // InferenceError, Error{conflict} when others change the same memories again and again, and what
  // store and embedder throw.
  Task<std::vector<Remembered>> remember(std::string_view tenant, const AddRequest& request,
                                         std::int64_t ttl_seconds, Timestamp time);

  // The same in place of `unprocessed` memories, which are removed with it.
  Task<std::vector<Remembered>> remember_instead(std::string_view tenant, const AddRequest& request,
                                                 const std::vector<MemoryPtr>& unprocessed,
                                                 std::int64_t ttl_seconds, Timestamp time);

 private:
  struct Fact {
    std::string text;
    llm::Vector vector;  // empty: there is no embedder
  };
  // What is to be done, with the memories that hold a fact already.
  struct Plan {
    Changes changes = {};
    std::vector<MemoryPtr> known = {};
  };
  // Of one request.
  struct Occasion {
    const Caller& caller;
    const AddRequest& request;
    std::int64_t ttl_seconds;
    Timestamp time;
  };

  Task<std::vector<Fact>> facts_of(const AddRequest& request, Timestamp time);
  Task<std::vector<llm::Vector>> embed(std::vector<std::string> texts, trace::Parent parent);
  Task<Plan> plan(const Occasion& occasion, const std::vector<Fact>& facts);
  Task<> reconcile(const Occasion& occasion, std::span<const Fact> facts, Plan& plan);
  Task<> add_new(const Occasion& occasion, const std::vector<Fact>& facts, Plan& plan);
  Task<std::vector<MemoryPtr>> candidates(const Occasion& occasion, std::span<const Fact> facts,
                                          const Plan& plan);
  Task<> give_vectors(Plan& plan, const std::vector<Fact>& facts, trace::Parent parent);

  MemoryStore& store_;
  llm::Embedder* embedder_;
  llm::ChatClient& model_;
  InferenceOptions options_;
};

}  // namespace maas::ltm
