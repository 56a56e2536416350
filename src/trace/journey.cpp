#include "trace/journey.hpp"

#include "core/log.hpp"
#include "http/url.hpp"

namespace maas::trace {
namespace {

constexpr std::chrono::seconds kBetweenWarnings{60};
constexpr std::size_t kMostProblemBytes = 300;

std::string shown(std::string_view problem) {
  return http::printable(problem.substr(0, kMostProblemBytes));
}

}  // namespace

bool Journey::begin() {
  if (waiting_.fetch_add(1, std::memory_order_release) < most_waiting_) return true;
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  lose(1, "the queue is full");
  return false;
}

void Journey::end(std::uint64_t exported, std::uint64_t lost, std::string_view problem) {
  waiting_.fetch_sub(exported + lost, std::memory_order_relaxed);
  exported_.fetch_add(exported, std::memory_order_relaxed);
  if (lost > 0) {
    lose(lost, problem);
  } else if (!problem.empty() && may_warn()) {
    log::warn("the collector of traces took spans, but not without a remark",
              {{"detail", shown(problem)}});
  }
}

void Journey::lose(std::uint64_t spans, std::string_view problem) {
  const std::uint64_t dropped = dropped_.fetch_add(spans, std::memory_order_relaxed) + spans;
  if (!may_warn()) return;
  log::warn("spans are lost: the collector of traces can't be reached, refuses them or is too slow",
            {{"dropped", dropped}, {"detail", shown(problem)}});
}

bool Journey::may_warn() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;  // another thread warns just now
  const auto time = std::chrono::steady_clock::now();
  if (warned_ && time - *warned_ < kBetweenWarnings) return false;
  warned_ = time;
  return true;
}

}  // namespace maas::trace
