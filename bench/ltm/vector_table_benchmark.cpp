// One pass over the vectors of a scope, in bytes of vectors per second. The baseline is copying
// the same bytes, which reads as many and writes them too.
#include "../memory_texts.hpp"
#include "ltm/vector_table.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using maas::bench::kDims;
using maas::ltm::Slot;
using maas::ltm::VectorTable;

void set_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0) *
                          static_cast<std::int64_t>(kDims * sizeof(float)));
}

void dot_all(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  maas::bench::MemoryMaker make(1);
  VectorTable table(kDims);
  for (std::size_t i = 0; i < count; ++i) {
    table.grow(static_cast<Slot>(i));
    table.set(static_cast<Slot>(i), make.vector());
  }
  const std::vector<float> query = make.vector();
  std::vector<float> dots(count);
  for (auto _ : state) {
    table.dot_all(query.data(), count, dots.data());
    benchmark::DoNotOptimize(dots.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state);
}

void copy_the_same(benchmark::State& state) {
  const std::vector<float> from(static_cast<std::size_t>(state.range(0)) * kDims, 1);
  std::vector<float> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state);
}

BENCHMARK(copy_the_same)->Arg(100)->Arg(1000)->Arg(10'000);
BENCHMARK(dot_all)->Arg(100)->Arg(1000)->Arg(10'000);

}  // namespace
