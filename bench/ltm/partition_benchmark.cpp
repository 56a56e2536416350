// A scope's memories in memory: taking one in, and searching all. What a search with vectors can't
// be faster than is the pass over them, in vector_table_benchmark.cpp.
#include "../memory_texts.hpp"
#include "ltm/partition.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using maas::Memory;
using maas::MemoryPtr;
using maas::Timestamp;
using maas::bench::kDims;
using maas::bench::MemoryMaker;
using maas::ltm::Partition;
using maas::ltm::SearchQuery;

constexpr std::size_t kQueries = 200;
constexpr std::size_t kSession = 20;  // memories a minute apart; a day lies between sessions
const Timestamp kStart{std::chrono::hours(24 * 365 * 50)};

MemoryPtr memory(std::size_t number, std::string text) {
  Memory made{.id = "00000000-0000-7000-8000-" + std::to_string(100'000'000'000 + number),
              .text = std::move(text),
              .created_at = kStart + std::chrono::minutes(number) +
                            std::chrono::hours(24) * static_cast<int>(number / kSession),
              .sequence = static_cast<std::int64_t>(number)};
  made.scope.user_id = "user";
  made.updated_at = made.created_at;
  return std::make_shared<const Memory>(std::move(made));
}

Partition partition_of(std::size_t memories, bool vectors) {
  MemoryMaker make(1);
  Partition partition({.dims = vectors ? kDims : 0, .language = {}});
  for (std::size_t i = 0; i < memories; ++i) {
    partition.put(memory(i, make.text()), vectors ? make.vector() : std::vector<float>());
  }
  return partition;
}

// One put into a partition that holds `memories` already; those added are few beside them.
void put(benchmark::State& state, bool vectors) {
  const auto memories = static_cast<std::size_t>(state.range(0));
  Partition partition = partition_of(memories, vectors);
  MemoryMaker make(2);
  std::vector<std::pair<MemoryPtr, std::vector<float>>> more;
  for (std::size_t i = 0; i < 1000; ++i) {
    more.emplace_back(memory(memories + i, make.text()),
                      vectors ? make.vector() : std::vector<float>());
  }
  std::size_t next = 0;
  for (auto _ : state) {
    partition.put(more[next].first, more[next].second);
    if (++next < more.size()) continue;
    state.PauseTiming();
    for (const auto& [added, vector] : more) partition.remove(added->id);
    next = 0;
    state.ResumeTiming();
  }
  state.counters["bytes_per_memory"] =
      static_cast<double>(partition.bytes()) / static_cast<double>(partition.size());
}

void search(benchmark::State& state, bool vectors) {
  const Partition partition = partition_of(static_cast<std::size_t>(state.range(0)), vectors);
  MemoryMaker make(1);  // the same words
  std::vector<SearchQuery> queries(kQueries);
  for (SearchQuery& query : queries) {
    query.text = make.query();
    if (vectors) query.vector = make.vector();
    query.limit = 10;
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(partition.search(queries[next], kStart));
    next = (next + 1) % queries.size();
  }
}

BENCHMARK_CAPTURE(put, words, false)->Arg(1000);
BENCHMARK_CAPTURE(put, vectors, true)->Arg(1000);
BENCHMARK_CAPTURE(search, words, false)->Arg(100)->Arg(1000)->Arg(10'000);
BENCHMARK_CAPTURE(search, vectors, true)->Arg(100)->Arg(1000)->Arg(10'000);

}  // namespace
