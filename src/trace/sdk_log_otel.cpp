#include "trace/sdk_log.hpp"

#include <mutex>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <utility>
#include <vector>

namespace maas::trace {
namespace {

namespace internal_log = opentelemetry::sdk::common::internal_log;

class Listeners final : public internal_log::LogHandler {
 public:
  void add(std::function<void(std::string_view)> told) {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(std::move(told));
  }

  void Handle(internal_log::LogLevel level, const char*, int, const char* message,
              const opentelemetry::sdk::common::AttributeMap&) noexcept override {
    if (!message || level > internal_log::LogLevel::Warning) return;
    const std::lock_guard lock(mutex_);
    for (const auto& told : listeners_) told(message);
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void(std::string_view)>> listeners_;
};

}  // namespace

void listen_to_sdk(std::function<void(std::string_view)> told) {
  static Listeners* const listeners = [] {
    auto* made = new Listeners;  // of the SDK, which ends with the process
    internal_log::GlobalLogHandler::SetLogHandler(
        opentelemetry::nostd::shared_ptr<internal_log::LogHandler>(made));
    return made;
  }();
  listeners->add(std::move(told));
}

}  // namespace maas::trace
