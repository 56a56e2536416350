#include "ltm/observed_memory_store.hpp"

#include "trace/attributes.hpp"
#include "trace/database_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace maas::ltm {
namespace {

namespace attribute = trace::attribute;
namespace json = boost::json;
using trace::DatabaseCall;

// What was looked for, if that may be told, and the ids of what was found.
void tell_found(DatabaseCall& call, std::span<const SearchHit> hits) {
  call.returned(hits.size());
  trace::Span& span = call.span();
  if (!span) return;
  json::array found;
  for (const SearchHit& hit : hits) {
    found.push_back(json::object{{"id", hit.memory->id}, {"score", hit.score}});
  }
  span.set(attribute::kObservationType, "retriever");
  span.set(attribute::kOutput, json::serialize(found));
}

class ObservedMemoryStore final : public MemoryStore {
 public:
  explicit ObservedMemoryStore(std::unique_ptr<MemoryStore> store) : store_(std::move(store)) {}

  std::string_view engine() const override { return store_->engine(); }
  std::string note() const override { return store_->note(); }
  Task<std::optional<std::string>> problem() override { return store_->problem(); }

  Task<std::vector<Added>> add(Caller caller, std::vector<NewMemory> memories) override {
    auto tell = [count = memories.size()](DatabaseCall& call, const auto&) { call.batched(count); };
    return observed(caller, "INSERT", store_->add(caller, std::move(memories)), tell);
  }

  Task<MemoryPtr> get(Caller caller, std::string_view id) override {
    return observed(caller, "SELECT", store_->get(caller, id),
                    [](DatabaseCall& call, const auto& found) { call.returned(found ? 1 : 0); });
  }

  Task<std::vector<MemoryPtr>> list(Caller caller, const Scope& scope,
                                    const ListQuery& query) override {
    return observed(caller, "SELECT", store_->list(caller, scope, query), tell_rows);
  }

  Task<MemoryPtr> update(Caller caller, const Memory& changed,
                         std::optional<llm::Vector> vector) override {
    return observed(caller, "UPDATE", store_->update(caller, changed, std::move(vector)), nothing);
  }

  Task<std::optional<Applied>> apply(Caller caller, Changes changes) override {
    const std::size_t count =
        changes.added.size() + changes.updated.size() + changes.removed.size();
    auto tell = [count](DatabaseCall& call, const auto&) { call.batched(count); };
    return observed(caller, "BATCH", store_->apply(caller, std::move(changes)), tell);
  }

  Task<std::vector<bool>> remove(Caller caller, std::span<const std::string> ids) override {
    auto tell = [count = ids.size()](DatabaseCall& call, const auto&) { call.batched(count); };
    return observed(caller, "DELETE", store_->remove(caller, ids), tell);
  }

  Task<std::size_t> remove_scope(Caller caller, const Scope& scope) override {
    return observed(caller, "DELETE", store_->remove_scope(caller, scope), nothing);
  }

  Task<std::vector<std::string>> remove_expired(Caller caller) override {
    return observed(caller, "DELETE", store_->remove_expired(caller), nothing);
  }

  Task<std::vector<HistoryEntry>> history(Caller caller, std::string_view id) override {
    return observed(caller, "SELECT", store_->history(caller, id), tell_rows, "memory_history");
  }

  // Kept in memory, as a rule: not worth a span of its own.
  Task<std::vector<std::string>> speakers(Caller caller, const Scope& scope) override {
    return store_->speakers(caller, scope);
  }

  Task<std::vector<SearchHit>> search(Caller caller, const Scope& scope,
                                      const SearchQuery& query) override {
    auto tell = [&query](DatabaseCall& call, const std::vector<SearchHit>& hits) {
      tell_found(call, hits);
      if (!call.span().captures_content()) return;
      call.span().set(attribute::kInput,
                      json::serialize(json::object{{"query", query.text}, {"top_k", query.limit}}));
    };
    return observed(caller, "search", store_->search(caller, scope, query), tell);
  }

  Task<std::vector<Neighbour>> nearest(Caller caller, const Scope& scope, const llm::Vector& vector,
                                       std::size_t limit) override {
    return observed(caller, "nearest", store_->nearest(caller, scope, vector, limit), tell_rows);
  }

  Task<bool> sweep() override { return store_->sweep(); }

  Task<std::vector<OwnedMemory>> waiting(Waiting what, std::int64_t after,
                                         std::size_t limit) override {
    return store_->waiting(what, after, limit);
  }

  Task<std::size_t> set_vectors(Caller caller, std::vector<MemoryPtr> memories,
                                std::vector<llm::Vector> vectors) override {
    auto tell = [count = memories.size()](DatabaseCall& call, const auto&) { call.batched(count); };
    return observed(caller, "UPDATE",
                    store_->set_vectors(caller, std::move(memories), std::move(vectors)), tell);
  }

 private:
  static constexpr auto tell_rows = [](DatabaseCall& call, const auto& rows) {
    call.returned(rows.size());
  };
  static constexpr auto nothing = [](DatabaseCall&, const auto&) {};

  template <class T, class Tell>
  Task<T> observed(const Caller& caller, std::string_view operation, Task<T> task, Tell tell,
                   std::string_view collection = "memories") {
    const trace::Statement statement{
        .system = store_->engine(), .operation = operation, .collection = collection};
    return trace::observed(caller.parent, statement, std::move(task), std::move(tell));
  }

  std::unique_ptr<MemoryStore> store_;
};

}  // namespace

std::unique_ptr<MemoryStore> observe(std::unique_ptr<MemoryStore> store) {
  return std::make_unique<ObservedMemoryStore>(std::move(store));
}

}  // namespace maas::ltm
