#include "ltm/backlog.hpp"

#include "core/time.hpp"
#include "ltm/memory_text.hpp"
#include "ltm/metadata.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

// Whether two messages that wait were said in one conversation.
bool belong_together(const OwnedMemory& a, const OwnedMemory& b) {
  const Memory& first = *a.memory;
  const Memory& second = *b.memory;
  return a.tenant == b.tenant && first.scope == second.scope && first.category == second.category &&
         first.created_at == second.created_at && first.updated_at == second.updated_at &&
         first.metadata == second.metadata;
}

// The request that messages were kept of.
AddRequest request_of(std::span<const OwnedMemory> kept) {
  const Memory& first = *kept.front().memory;
  AddRequest request;
  request.scope = first.scope;
  request.category = first.category;
  request.metadata = without_unprocessed(first.metadata);
  request.said_at = first.created_at;
  for (const OwnedMemory& each : kept) {
    request.messages.push_back(
        {.role = "user", .name = each.memory->speaker, .content = each.memory->text});
  }
  return request;
}

// What is left of a life; 0: for ever.
std::int64_t seconds_left(const Memory& memory, Timestamp time) {
  if (!memory.expires_at) return 0;
  const auto left = std::chrono::ceil<std::chrono::seconds>(*memory.expires_at - time);
  return std::max<std::int64_t>(1, left.count());
}

}  // namespace

Task<BacklogPart> embed_backlog(MemoryStore& store, llm::Embedder& embedder, std::int64_t after,
                                std::size_t limit) {
  BacklogPart part{.last = after};
  const std::vector<OwnedMemory> waiting = co_await store.waiting(Waiting::vector, after, limit);
  std::vector<std::string> texts;
  std::map<std::string, std::vector<std::size_t>> of_tenant;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    texts.push_back(said(*waiting[i].memory));
    of_tenant[waiting[i].tenant].push_back(i);
    part.last = waiting[i].memory->sequence;
  }
  part.seen = waiting.size();
  if (texts.empty()) co_return part;
  std::vector<llm::Vector> vectors = co_await embedder.embed(texts, llm::TextKind::document);
  for (const auto& [tenant, indices] : of_tenant) {
    std::vector<MemoryPtr> memories;
    std::vector<llm::Vector> made;
    for (const std::size_t i : indices) {
      memories.push_back(waiting[i].memory);
      made.push_back(std::move(vectors[i]));
    }
    const std::size_t count =
        co_await store.set_vectors(tenant, std::move(memories), std::move(made));
    part.finished += count;
  }
  co_return part;
}

Task<BacklogPart> infer_backlog(MemoryStore& store, Inference& inference, std::int64_t after,
                                std::size_t limit) {
  BacklogPart part{.last = after};
  const std::vector<OwnedMemory> waiting =
      co_await store.waiting(Waiting::extraction, after, limit);
  part.seen = waiting.size();
  const Timestamp time = now();
  for (std::size_t begin = 0; begin < waiting.size();) {
    std::size_t end = begin + 1;
    while (end < waiting.size() && belong_together(waiting[begin], waiting[end])) ++end;
    const auto kept = std::span(waiting).subspan(begin, end - begin);
    std::vector<MemoryPtr> unprocessed;
    for (const OwnedMemory& each : kept) unprocessed.push_back(each.memory);
    const AddRequest request = request_of(kept);
    co_await inference.remember_instead(kept.front().tenant, request, unprocessed,
                                        seconds_left(*unprocessed.front(), time), time);
    part.finished += kept.size();
    part.last = kept.back().memory->sequence;
    begin = end;
  }
  co_return part;
}

}  // namespace maas::ltm
