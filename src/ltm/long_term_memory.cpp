#include "ltm/long_term_memory.hpp"

#include "core/ids.hpp"
#include "core/log.hpp"
#include "ltm/memory_metrics.hpp"
#include "ltm/memory_text.hpp"
#include "ltm/metadata.hpp"
#include "text/folding.hpp"
#include "text/speakers.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <exception>

namespace maas::ltm {
namespace {

using Clock = std::chrono::steady_clock;

// How often an update is made anew because another one was faster.
constexpr int kMaxAttempts = 4;

std::chrono::microseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
}

bool is_system(std::string_view role) {
  return std::ranges::equal(role, std::string_view("system"), [](char given, char lower) {
    return std::tolower(static_cast<unsigned char>(given)) == lower;
  });
}

// Takes the messages of a request that are worth keeping.
void append_memories(std::vector<NewMemory>& memories, AddRequest& request,
                     std::int64_t ttl_seconds, Timestamp time) {
  const std::string speaker = speaker_in(request.metadata);
  for (SaidMessage& message : request.messages) {
    if (is_system(message.role) || is_blank(message.content)) continue;
    memories.push_back({.memory = {.id = make_id(),
                                   .scope = request.scope,
                                   .category = request.category,
                                   .text = std::move(message.content),
                                   .metadata = request.metadata,
                                   .speaker = speaker.empty() ? std::move(message.name) : speaker,
                                   .created_at = request.said_at.value_or(time),
                                   .updated_at = time,
                                   .expires_at = expiry(time, ttl_seconds)},
                        .vector = {}});
  }
}

// The next version of a memory.
Memory changed_by(const UpdateRequest& request, const Memory& memory, Timestamp time) {
  Memory changed = memory;
  changed.text = request.text;
  changed.updated_at = time;
  if (request.category) changed.category = *request.category;
  if (request.ttl_seconds) changed.expires_at = expiry(time, *request.ttl_seconds);
  if (request.metadata) {
    // A name that the old metadata told goes with it; one that the message told stays.
    const std::string before = speaker_in(memory.metadata);
    const std::string after = speaker_in(*request.metadata);
    if (!after.empty() || !before.empty()) changed.speaker = after;
    changed.metadata = *request.metadata;
  }
  return changed;
}

}  // namespace

Error unknown_memory() { return {Errc::not_found, "Memory not found"}; }

LongTermMemory::LongTermMemory(MemoryStore& store, llm::Embedder* embedder, llm::ChatClient* model,
                               LongTermMemoryOptions options)
    : store_(store), embedder_(embedder), options_(options) {
  if (model) inference_.emplace(store, embedder, *model, options.inference);
}

Task<std::vector<Remembered>> LongTermMemory::add(std::string_view tenant, AddRequest request) {
  if (infers(request)) co_return co_await infer(tenant, std::move(request));
  co_return co_await keep(tenant, std::move(request));
}

Task<std::vector<Remembered>> LongTermMemory::keep(std::string_view tenant, AddRequest request) {
  std::vector<AddRequest> requests;
  requests.push_back(std::move(request));
  auto outcomes = co_await keep_all(tenant, std::move(requests));
  co_return outcomes.front().take();
}

Task<std::vector<Outcome<std::vector<Remembered>>>> LongTermMemory::add_all(
    std::string_view tenant, std::vector<AddRequest> requests) {
  std::vector<AddRequest> inferred, kept;
  std::vector<bool> infer;
  for (AddRequest& request : requests) {
    infer.push_back(infers(request));
    (infer.back() ? inferred : kept).push_back(std::move(request));
  }
  auto of_kept = co_await keep_all(tenant, std::move(kept));
  auto of_inferred = co_await infer_all(tenant, std::move(inferred));
  std::vector<Outcome<std::vector<Remembered>>> outcomes;
  auto next_kept = of_kept.begin();
  auto next_inferred = of_inferred.begin();
  for (const bool is_inferred : infer) {
    outcomes.push_back(std::move(is_inferred ? *next_inferred++ : *next_kept++));
  }
  co_return outcomes;
}

bool LongTermMemory::infers(const AddRequest& request) const {
  return inference_ && request.infer.value_or(true);
}

Task<std::vector<Outcome<std::vector<Remembered>>>> LongTermMemory::infer_all(
    std::string_view tenant, std::vector<AddRequest> requests) {
  namespace asio = boost::asio;
  std::vector<Outcome<std::vector<Remembered>>> outcomes;
  if (requests.empty()) co_return outcomes;
  const auto executor = co_await asio::this_coro::executor;
  const auto start = [&](AddRequest& request) {
    return asio::co_spawn(executor, try_to_infer(tenant, std::move(request)), asio::deferred);
  };
  std::vector<decltype(start(requests.front()))> tasks;
  for (AddRequest& request : requests) tasks.push_back(start(request));
  auto all = asio::experimental::make_parallel_group(std::move(tasks));
  auto [order, errors, results] =
      co_await all.async_wait(asio::experimental::wait_for_all(), use_task);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (errors[i]) results[i] = {.error = errors[i], .value = std::nullopt};
    outcomes.push_back(std::move(results[i]));
  }
  co_return outcomes;
}

Task<Outcome<std::vector<Remembered>>> LongTermMemory::try_to_infer(std::string_view tenant,
                                                                    AddRequest request) {
  Outcome<std::vector<Remembered>> outcome;
  try {
    outcome.value = co_await infer(tenant, std::move(request));
  } catch (const Error&) {
    outcome.error = std::current_exception();
  }
  co_return outcome;
}

// Messages that the model could not be asked about are kept as they are, marked for later.
Task<std::vector<Remembered>> LongTermMemory::infer(std::string_view tenant, AddRequest request) {
  const std::int64_t ttl = request.ttl_seconds.value_or(options_.default_ttl_seconds);
  try {
    auto remembered = co_await inference_->remember(tenant, request, ttl, now());
    count_remembered(request.category, remembered);
    co_return remembered;
  } catch (const InferenceError& error) {
    if (!options_.keep_on_llm_failure) throw;
    log::warn("messages are kept as they are, for maas reprocess",
              {{"error", error.what()}, {"detail", error.detail()}});
  }
  std::erase_if(request.messages, [](const SaidMessage& message) {
    return !is_listened_to(message.role);  // as little is taken from them then as now
  });
  request.metadata = marked_unprocessed(request.metadata);
  co_return co_await keep(tenant, std::move(request));
}

Task<std::vector<Outcome<std::vector<Remembered>>>> LongTermMemory::keep_all(
    std::string_view tenant, std::vector<AddRequest> requests) {
  const Timestamp time = now();
  std::vector<NewMemory> memories;
  std::vector<std::size_t> counts;  // of each request's memories
  std::vector<Category> categories;
  for (AddRequest& request : requests) {
    const std::size_t before = memories.size();
    const std::int64_t ttl = request.ttl_seconds.value_or(options_.default_ttl_seconds);
    append_memories(memories, request, ttl, time);
    counts.push_back(memories.size() - before);
    categories.push_back(request.category);
  }

  std::vector<Added> added;
  std::exception_ptr failure;
  if (!memories.empty()) {
    try {
      const Caller caller(tenant, requests.front().parent);
      co_await embed(memories, caller.parent);
      added = co_await store_.add(caller, std::move(memories));
    } catch (const Error&) {
      failure = std::current_exception();
    }
  }

  std::vector<Outcome<std::vector<Remembered>>> outcomes(requests.size());
  auto next = added.begin();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (failure && counts[i] > 0) {
      outcomes[i].error = failure;
      continue;
    }
    std::vector<Remembered>& remembered = outcomes[i].value.emplace();
    for (std::size_t n = 0; n < counts[i]; ++n, ++next) {
      remembered.push_back({next->existed ? Event::none : Event::add, std::move(next->memory)});
    }
    count_remembered(categories[i], remembered);
  }
  co_return outcomes;
}

Task<> LongTermMemory::embed(std::vector<NewMemory>& memories, trace::Parent parent) {
  if (!embedder_) co_return;
  std::vector<std::string> texts;
  texts.reserve(memories.size());
  for (const NewMemory& memory : memories) texts.push_back(said(memory.memory));
  std::vector<llm::Vector> vectors =
      co_await embedder_->embed(texts, llm::TextKind::document, std::move(parent));
  assert(vectors.size() == memories.size());
  for (std::size_t i = 0; i < memories.size(); ++i) memories[i].vector = std::move(vectors[i]);
}

Task<Found> LongTermMemory::search(std::string_view tenant, const SearchRequest& request) {
  std::vector<SearchRequest> requests(1, request);
  auto outcomes = co_await search_all(tenant, std::move(requests));
  co_return outcomes.front().take();
}

Task<std::vector<Outcome<Found>>> LongTermMemory::search_all(std::string_view tenant,
                                                             std::vector<SearchRequest> requests) {
  std::vector<Outcome<Found>> outcomes(requests.size());
  std::vector<std::size_t> open;   // requests to be searched for
  std::vector<std::string> texts;  // theirs
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Found& found = outcomes[i].value.emplace();
    if (requests[i].query.limit == 0) continue;
    if (embedder_) {
      const auto start = Clock::now();
      try {
        std::string text = co_await query_text(tenant, requests[i]);
        texts.push_back(std::move(text));
      } catch (const Error&) {
        outcomes[i] = {.error = std::current_exception(), .value = std::nullopt};
        continue;
      }
      found.timing.search = since(start);
    }
    open.push_back(i);
  }

  if (!texts.empty()) {
    const auto start = Clock::now();
    std::vector<llm::Vector> vectors;
    std::exception_ptr failure;
    try {
      vectors =
          co_await embedder_->embed(texts, llm::TextKind::query, requests[open.front()].parent);
    } catch (const Error&) {
      failure = std::current_exception();
    }
    const auto duration = since(start);
    for (std::size_t n = 0; n < open.size(); ++n) {
      if (failure) {
        outcomes[open[n]] = {.error = failure, .value = std::nullopt};
        continue;
      }
      outcomes[open[n]].value->timing.embed = duration;
      requests[open[n]].query.vector = std::move(vectors[n]);
    }
    if (failure) co_return outcomes;
  }

  for (const std::size_t i : open) {
    const auto start = Clock::now();
    const Caller caller(tenant, requests[i].parent);
    try {
      std::vector<SearchHit> hits =
          co_await store_.search(caller, requests[i].scope, requests[i].query);
      outcomes[i].value->hits = std::move(hits);
      outcomes[i].value->timing.search += since(start);
      count_search(outcomes[i].value->timing);
    } catch (const Error&) {
      outcomes[i] = {.error = std::current_exception(), .value = std::nullopt};
    }
  }
  co_return outcomes;
}

// A query as those who speak in the scope would say it: memories are told in the first person.
Task<std::string> LongTermMemory::query_text(std::string_view tenant,
                                             const SearchRequest& request) {
  const Caller caller(tenant, request.parent);
  const std::vector<std::string> speakers = co_await store_.speakers(caller, request.scope);
  const std::vector<text::Mention> mentions = text::find_mentions(request.query.text, speakers);
  co_return text::in_first_person(request.query.text, mentions);
}

Task<MemoryPtr> LongTermMemory::get(Caller caller, std::string_view id) {
  MemoryPtr memory = co_await store_.get(caller, id);
  if (!memory) throw unknown_memory();
  co_return memory;
}

Task<Page> LongTermMemory::list(Caller caller, const Scope& scope, ListQuery query) {
  Page page;
  const std::size_t limit = query.limit;
  if (limit == 0) co_return page;
  ++query.limit;  // one more tells whether the listing goes on
  page.memories = co_await store_.list(caller, scope, query);
  if (page.memories.size() > limit) {
    page.memories.resize(limit);
    const Memory& last = *page.memories.back();
    page.next = ListPosition{.created_at = last.created_at, .sequence = last.sequence};
  }
  co_return page;
}

Task<MemoryPtr> LongTermMemory::update(std::string_view tenant, UpdateRequest request) {
  const Caller caller(tenant, request.parent);
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    const MemoryPtr memory = co_await get(caller, request.id);
    const Memory changed = changed_by(request, *memory, now());
    std::optional<llm::Vector> vector;
    if (changed.text != memory->text || changed.speaker != memory->speaker) {
      vector = co_await vector_of(changed, request.parent);
    }
    MemoryPtr stored = co_await store_.update(caller, changed, std::move(vector));
    if (!stored) continue;
    count_updated(*stored);
    co_return stored;
  }
  throw Error(Errc::conflict, "The memory is being changed by others; try again");
}

// Empty without an embedder: the vector of an older text must not stay.
Task<llm::Vector> LongTermMemory::vector_of(const Memory& memory, trace::Parent parent) {
  if (!embedder_) co_return llm::Vector{};
  const std::vector<std::string> texts(1, said(memory));
  std::vector<llm::Vector> vectors =
      co_await embedder_->embed(texts, llm::TextKind::document, std::move(parent));
  co_return std::move(vectors.front());
}

Task<> LongTermMemory::forget(Caller caller, std::string_view id) {
  const std::vector<std::string> ids(1, std::string(id));
  const std::vector<bool> removed = co_await store_.remove(caller, ids);
  if (!removed.front()) throw unknown_memory();
  count_removed(1);
}

Task<std::vector<bool>> LongTermMemory::forget_all(Caller caller,
                                                   std::span<const std::string> ids) {
  if (ids.empty()) co_return std::vector<bool>{};
  std::vector<bool> removed = co_await store_.remove(caller, ids);
  count_removed(static_cast<std::size_t>(std::ranges::count(removed, true)));
  co_return removed;
}

Task<std::size_t> LongTermMemory::forget_scope(Caller caller, const Scope& scope) {
  const std::size_t removed = co_await store_.remove_scope(caller, scope);
  count_removed(removed);
  co_return removed;
}

Task<std::vector<std::string>> LongTermMemory::forget_expired(Caller caller) {
  co_return co_await store_.remove_expired(caller);
}

Task<std::vector<HistoryEntry>> LongTermMemory::history(Caller caller, std::string_view id) {
  co_return co_await store_.history(caller, id);
}

}  // namespace maas::ltm
