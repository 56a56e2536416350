#pragma once

#include "core/error.hpp"
#include "core/memory.hpp"
#include "core/offload.hpp"
#include "core/task.hpp"
#include "llm/embedder.hpp"
#include "ltm/add_request.hpp"
#include "ltm/inference.hpp"
#include "ltm/memory_store.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::ltm {

struct SearchRequest {
  Scope scope;
  SearchQuery query;  // its vector is made here
  trace::Parent parent = {};
};

struct UpdateRequest {
  std::string id = {};
  std::string text = {};
  std::optional<std::string> metadata = {};      // absent: as it was; empty: none
  std::optional<Category> category = {};         // absent: as it was
  std::optional<std::int64_t> ttl_seconds = {};  // absent: as it was; 0: for ever
  trace::Parent parent = {};
};

struct SearchTiming {
  std::chrono::microseconds embed{};   // the call that embedded all queries of a batch
  std::chrono::microseconds search{};  // in the engine, ranking included
};

struct Found {
  std::vector<SearchHit> hits;  // best first
  SearchTiming timing;
};

// A part of a listing, newest first.
struct Page {
  std::vector<MemoryPtr> memories;
  std::optional<ListPosition> next = {};  // where the next part begins; nullopt: this was the last
};

struct LongTermMemoryOptions {
  std::int64_t default_ttl_seconds = 0;  // 0: for ever
  bool keep_on_llm_failure = true;       // messages, verbatim, for maas reprocess
  InferenceOptions inference = {};
};

// What is thrown for an id that no memory has.
Error unknown_memory();

// The use cases of long-term memory. Thread-safe; borrows its arguments. Throws Error: not_found
// for an unknown id, what the embedder and the store throw otherwise.
class LongTermMemory {
 public:
  // A null embedder: memories are found by words alone. A null model: nothing is inferred.
  LongTermMemory(MemoryStore& store, llm::Embedder* embedder, llm::ChatClient* model,
                 LongTermMemoryOptions options);

  bool can_infer() const { return inference_.has_value(); }

  // Keeps what the model finds worth remembering in the messages, or, without inference, every
  // message that isn't the system's, verbatim. Empty: there was nothing to keep.
  Task<std::vector<Remembered>> add(std::string_view tenant, AddRequest request);

  // The same for many. What is kept verbatim is embedded in one call and stored in one commit: an
  // Error of the embedder or the store is the outcome of each that has something to keep. The
  // model is asked about the others at the same time.
  Task<std::vector<Outcome<std::vector<Remembered>>>> add_all(std::string_view tenant,
                                                              std::vector<AddRequest> requests);

  Task<Found> search(std::string_view tenant, const SearchRequest& request);
  // The same for many, embedded in one call. An Error is the outcome of those it concerns.
  Task<std::vector<Outcome<Found>>> search_all(std::string_view tenant,
                                               std::vector<SearchRequest> requests);

  Task<MemoryPtr> get(Caller caller, std::string_view id);
  Task<Page> list(Caller caller, const Scope& scope, ListQuery query);
  // Throws Error{conflict} when others change the memory again and again meanwhile.
  Task<MemoryPtr> update(std::string_view tenant, UpdateRequest request);
  Task<> forget(Caller caller, std::string_view id);
  // Whether each was there.
  Task<std::vector<bool>> forget_all(Caller caller, std::span<const std::string> ids);
  Task<std::size_t> forget_scope(Caller caller, const Scope& scope);
  Task<std::vector<std::string>> forget_expired(Caller caller);
  Task<std::vector<HistoryEntry>> history(Caller caller, std::string_view id);

 private:
  bool infers(const AddRequest& request) const;
  Task<std::vector<Remembered>> keep(std::string_view tenant, AddRequest request);
  Task<std::vector<Remembered>> infer(std::string_view tenant, AddRequest request);
  Task<Outcome<std::vector<Remembered>>> try_to_infer(std::string_view tenant, AddRequest request);
  Task<std::vector<Outcome<std::vector<Remembered>>>> infer_all(std::string_view tenant,
                                                                std::vector<AddRequest> requests);
  Task<std::vector<Outcome<std::vector<Remembered>>>> keep_all(std::string_view tenant,
                                                               std::vector<AddRequest> requests);
  Task<> embed(std::vector<NewMemory>& memories, trace::Parent parent);
  Task<std::string> query_text(std::string_view tenant, const SearchRequest& request);
  Task<llm::Vector> vector_of(const Memory& memory, trace::Parent parent);

  MemoryStore& store_;
  llm::Embedder* embedder_;
  LongTermMemoryOptions options_;
  std::optional<Inference> inference_;
};

}  // namespace maas::ltm
