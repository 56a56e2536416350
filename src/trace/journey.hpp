#pragma once

#include "trace/recorder.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace maas::trace {

// What becomes of the spans on their way to a collector; the log tells, once a minute, of what is
// lost. Thread-safe.
class Journey {
 public:
  explicit Journey(std::size_t most_waiting) : most_waiting_(most_waiting) {}

  // False: too many wait, and this one is lost. What was written before is seen behind arrive():
  // the SDK's queue between them is known to do that, but not to ThreadSanitizer.
  bool begin();
  void arrive() const { static_cast<void>(waiting_.load(std::memory_order_acquire)); }
  // `exported` have arrived, `lost` have not; `problem` says why.
  void end(std::uint64_t exported, std::uint64_t lost, std::string_view problem);

  RecorderCounts counts() const {
    return {.exported = exported_, .dropped = dropped_, .waiting = waiting_};
  }

 private:
  void lose(std::uint64_t spans, std::string_view problem);
  bool may_warn();

  const std::size_t most_waiting_;
  std::atomic<std::uint64_t> waiting_ = 0;
  std::atomic<std::uint64_t> exported_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> warned_;
};

}  // namespace maas::trace
