#include "ltm/inference.hpp"

#include "core/ids.hpp"
#include "core/offload.hpp"
#include "core/time_limit.hpp"
#include "llm/json_answer.hpp"
#include "ltm/memory_text.hpp"
#include "ltm/metadata.hpp"
#include "text/folding.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace maas::ltm {
namespace {

constexpr int kMaxAttempts = 4;                  // others may change the same memories meanwhile
constexpr std::size_t kFactsAtOnce = 20;         // in one prompt
constexpr std::size_t kBytesInPlace = 8 * 1024;  // of conversation: about a millisecond
constexpr std::size_t kCandidatesEach = 5;       // memories shown per fact

// Asks the model; its failures are told from those of everything else.
template <class T, class Read>
Task<T> ask(llm::ChatClient& model, const llm::ChatRequest& request, Read read) {
  std::optional<InferenceError> failure;
  std::optional<T> answer;
  try {
    answer.emplace(co_await llm::ask_for_json<T>(model, request, std::move(read)));
  } catch (const Error& error) {
    failure.emplace(error);
  }
  if (failure) throw *failure;
  co_return std::move(*answer);
}

InferenceError too_slow(std::string_view provider) {
  return InferenceError(Error(
      Errc::deadline_exceeded,
      std::string(provider) + " took too long to extract memories; a faster LLM_MODEL, or a larger "
                              "MAAS_REQUEST_TIMEOUT_MS and LLM_TIMEOUT_MS, may help"));
}

std::vector<std::string> texts_of(const auto& facts) {
  std::vector<std::string> texts;
  for (const auto& fact : facts) texts.push_back(fact.text);
  return texts;
}

// A conversation's memories, changed already or known, first those that changed.
std::vector<Remembered> results_of(Applied applied, std::vector<MemoryPtr> removed,
                                   std::vector<MemoryPtr> known) {
  std::vector<Remembered> results;
  for (MemoryPtr& memory : applied.updated) results.push_back({Event::update, std::move(memory)});
  for (Added& added : applied.added) {
    if (added.existed) {
      known.push_back(std::move(added.memory));
    } else {
      results.push_back({Event::add, std::move(added.memory)});
    }
  }
  for (MemoryPtr& memory : removed) results.push_back({Event::remove, std::move(memory)});
  std::set<std::string_view> told;
  for (MemoryPtr& memory : known) {
    if (told.insert(memory->id).second) results.push_back({Event::none, std::move(memory)});
  }
  return results;
}

}  // namespace

Inference::Inference(MemoryStore& store, llm::Embedder* embedder, llm::ChatClient& model,
                     InferenceOptions options)
    : store_(store), embedder_(embedder), model_(model), options_(options) {}

Task<std::vector<Remembered>> Inference::remember(std::string_view tenant,
                                                  const AddRequest& request,
                                                  std::int64_t ttl_seconds, Timestamp time) {
  const std::vector<MemoryPtr> nothing;
  co_return co_await remember_instead(tenant, request, nothing, ttl_seconds, time);
}

Task<std::vector<Remembered>> Inference::remember_instead(std::string_view tenant,
                                                          const AddRequest& request,
                                                          const std::vector<MemoryPtr>& unprocessed,
                                                          std::int64_t ttl_seconds,
                                                          Timestamp time) {
  const auto give_up = std::chrono::steady_clock::now() + options_.time;
  const auto time_left = [give_up] { return give_up - std::chrono::steady_clock::now(); };
  const InferenceError late = too_slow(model_.provider());
  const Caller caller(tenant, request.parent);
  const Occasion occasion{caller, request, ttl_seconds, time};

  const std::vector<Fact> facts =
      co_await within(time_left(), facts_of(request, request.said_at.value_or(time)), late);
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    Plan planned = co_await within(time_left(), plan(occasion, facts), late);
    const std::vector<MemoryPtr> removed = planned.changes.removed;
    Changes& changes = planned.changes;
    changes.removed.insert(changes.removed.end(), unprocessed.begin(), unprocessed.end());
    if (changes.added.empty() && changes.updated.empty() && changes.removed.empty()) {
      co_return results_of({}, {}, std::move(planned.known));
    }
    std::optional<Applied> applied = co_await store_.apply(caller, std::move(changes));
    if (applied) co_return results_of(*std::move(applied), removed, std::move(planned.known));
  }
  throw Error(Errc::conflict, "The memories of the scope are being changed by others; try again");
}

Task<std::vector<Inference::Fact>> Inference::facts_of(const AddRequest& request, Timestamp time) {
  std::vector<SaidMessage> listened;
  for (const SaidMessage& message : request.messages) {
    if (is_listened_to(message.role) && !is_blank(message.content)) listened.push_back(message);
  }
  std::vector<std::string> texts;
  std::set<std::string> known;
  const auto read = [this](const boost::json::object& answer) {
    return facts_in(answer, options_.limits);
  };
  std::size_t bytes = 0;
  for (const SaidMessage& message : listened) bytes += message.content.size();
  const auto make_prompts = [&] { return extraction_requests(listened, time, options_.limits); };
  std::vector<llm::ChatRequest> prompts;
  if (options_.pool && bytes > kBytesInPlace) {
    prompts = co_await offload(*options_.pool, make_prompts);
  } else {
    prompts = make_prompts();
  }
  for (llm::ChatRequest& prompt : prompts) {
    prompt.purpose = "extract_facts";
    prompt.parent = request.parent;
    std::vector<std::string> found = co_await ask<std::vector<std::string>>(model_, prompt, read);
    for (std::string& text : found) {
      if (known.insert(text::folded_line(text)).second) texts.push_back(std::move(text));
    }
  }
  std::vector<llm::Vector> vectors = co_await embed(texts, request.parent);
  std::vector<Fact> facts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    facts.push_back({std::move(texts[i]), std::move(vectors[i])});
  }
  co_return facts;
}

// An empty vector for each without an embedder.
Task<std::vector<llm::Vector>> Inference::embed(std::vector<std::string> texts,
                                                trace::Parent parent) {
  std::vector<llm::Vector> vectors(texts.size());
  if (embedder_ && !texts.empty()) {
    vectors = co_await embedder_->embed(texts, llm::TextKind::document, std::move(parent));
    assert(vectors.size() == texts.size());
  }
  co_return vectors;
}

Task<Inference::Plan> Inference::plan(const Occasion& occasion, const std::vector<Fact>& facts) {
  Plan plan;
  if (options_.reconcile == Reconcile::additive) {
    co_await add_new(occasion, facts, plan);
  } else {
    for (std::size_t begin = 0; begin < facts.size(); begin += kFactsAtOnce) {
      const std::size_t count = std::min(kFactsAtOnce, facts.size() - begin);
      co_await reconcile(occasion, std::span(facts).subspan(begin, count), plan);
    }
  }
  co_await give_vectors(plan, facts, occasion.request.parent);
  co_return plan;
}

// A memory made of a text; its vector comes later.
NewMemory new_memory(const AddRequest& request, std::string text, std::int64_t ttl_seconds,
                     Timestamp time) {
  return {.memory = {.id = make_id(),
                     .scope = request.scope,
                     .category = request.category,
                     .text = std::move(text),
                     .metadata = request.metadata,
                     .speaker = speaker_in(request.metadata),
                     .created_at = request.said_at.value_or(time),
                     .updated_at = time,
                     .expires_at = expiry(time, ttl_seconds)},
          .vector = {}};
}

Changes::Update updated(const Memory& memory, const AddRequest& request, std::string text,
                        Timestamp time) {
  Memory changed = memory;
  changed.text = std::move(text);
  changed.metadata = merged_metadata(memory.metadata, request.metadata);
  changed.updated_at = time;
  if (request.ttl_seconds) changed.expires_at = expiry(time, *request.ttl_seconds);
  return {.changed = std::move(changed), .vector = {}};
}

// Lets the model say what some of the facts mean for the memories that are like them.
Task<> Inference::reconcile(const Occasion& occasion, std::span<const Fact> facts, Plan& plan) {
  const std::vector<MemoryPtr> memories = co_await candidates(occasion, facts, plan);
  llm::ChatRequest prompt = reconciliation_request(memories, texts_of(facts));
  prompt.purpose = "reconcile";
  prompt.parent = occasion.request.parent;
  const auto read = [&memories, &facts](const boost::json::object& answer) {
    return decisions_in(answer, memories.size(), facts.size());
  };
  std::vector<Decision> decisions = co_await ask<std::vector<Decision>>(model_, prompt, read);
  for (Decision& decision : decisions) {
    switch (decision.kind) {
      case Decision::Kind::add:
        plan.changes.added.push_back(new_memory(occasion.request, std::move(decision.text),
                                                occasion.ttl_seconds, occasion.time));
        break;
      case Decision::Kind::update:
        if (decision.text == memories[decision.memory]->text) {
          plan.known.push_back(memories[decision.memory]);
        } else {
          plan.changes.updated.push_back(updated(*memories[decision.memory], occasion.request,
                                                 std::move(decision.text), occasion.time));
        }
        break;
      case Decision::Kind::remove:
        plan.changes.removed.push_back(memories[decision.memory]);
        break;
      case Decision::Kind::none:
        plan.known.push_back(memories[decision.memory]);
        break;
    }
  }
}

// The memories of the scope that may have to do with the facts, but for those that the plan changes
// already, those that wait to be processed, and those too long to be shown.
Task<std::vector<MemoryPtr>> Inference::candidates(const Occasion& occasion,
                                                   std::span<const Fact> facts, const Plan& plan) {
  std::set<std::string_view> taken;
  for (const auto& update : plan.changes.updated) taken.insert(update.changed.id);
  for (const MemoryPtr& memory : plan.changes.removed) taken.insert(memory->id);
  std::vector<MemoryPtr> memories;
  for (const Fact& fact : facts) {
    SearchQuery query;
    query.text = fact.text;
    query.vector = fact.vector;
    query.limit = kCandidatesEach;
    const std::vector<SearchHit> hits =
        co_await store_.search(occasion.caller, occasion.request.scope, query);
    for (const SearchHit& hit : hits) {
      if (hit.memory->text.size() > kMaxFactBytes || is_unprocessed(*hit.memory)) continue;
      if (taken.insert(hit.memory->id).second) memories.push_back(hit.memory);
    }
  }
  co_return memories;
}

// Adds the facts that no memory, and no fact before, is nearly the same as.
Task<> Inference::add_new(const Occasion& occasion, const std::vector<Fact>& facts, Plan& plan) {
  std::vector<const llm::Vector*> added;
  for (const Fact& fact : facts) {
    MemoryPtr same;
    if (!fact.vector.empty()) {
      const std::vector<Neighbour> nearest = co_await store_.nearest(
          occasion.caller, occasion.request.scope, fact.vector, kCandidatesEach);
      for (const auto& [memory, cosine] : nearest) {
        if (cosine < options_.duplicate_threshold) break;
        if (is_unprocessed(*memory)) continue;
        same = memory;
        break;
      }
    }
    if (same) {
      plan.known.push_back(std::move(same));
      continue;
    }
    const bool is_repeated = std::ranges::any_of(added, [&](const llm::Vector* other) {
      return std::inner_product(other->begin(), other->end(), fact.vector.begin(), 0.) >=
             options_.duplicate_threshold;
    });
    if (is_repeated) continue;
    if (!fact.vector.empty()) added.push_back(&fact.vector);
    plan.changes.added.push_back(
        new_memory(occasion.request, fact.text, occasion.ttl_seconds, occasion.time));
  }
}

// What the model worded otherwise than the facts is embedded too, in one call.
Task<> Inference::give_vectors(Plan& plan, const std::vector<Fact>& facts, trace::Parent parent) {
  if (!embedder_) co_return;
  std::map<std::string_view, llm::Vector> vectors;
  for (const Fact& fact : facts) vectors.emplace(fact.text, fact.vector);
  std::vector<std::string> missing;
  const auto note = [&](const Memory& memory) {
    if (!vectors.contains(memory.text)) missing.push_back(memory.text);
  };
  for (const NewMemory& each : plan.changes.added) note(each.memory);
  for (const Changes::Update& each : plan.changes.updated) note(each.changed);
  std::vector<llm::Vector> made = co_await embed(missing, std::move(parent));
  for (std::size_t i = 0; i < missing.size(); ++i) vectors[missing[i]] = std::move(made[i]);
  for (NewMemory& each : plan.changes.added) each.vector = vectors.at(each.memory.text);
  for (Changes::Update& each : plan.changes.updated) each.vector = vectors.at(each.changed.text);
}

}  // namespace maas::ltm
