#include "trace/metrics_exporter.hpp"

#include "core/log.hpp"
#include "http/url.hpp"
#include "trace/otlp_json.hpp"
#include "trace/otlp_metrics.hpp"
#include "trace/otlp_sender.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace maas::trace {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenWarnings{60};
constexpr std::size_t kMostProblemBytes = 300;

class PeriodicExporter final : public MetricsExporter {
 public:
  PeriodicExporter(const MetricsOptions& options, const Metrics& metrics, KeyValues resource)
      : options_(options),
        metrics_(metrics),
        resource_(std::move(resource)),
        sender_(sender_options(options.exporting, options.export_timeout)),
        thread_([this] { run(); }) {}

  ~PeriodicExporter() override {
    sender_.stop_at(steady_clock::now() + options_.stop_timeout);
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  void run() {
    bool stops = false;
    while (!stops) {
      {
        std::unique_lock lock(mutex_);
        stops = wake_.wait_for(lock, options_.interval, [this] { return stopping_; });
      }
      send();
    }
  }

  void send() {
    OtlpSender::Sent sent;
    try {
      std::string body =
          otlp_of_metrics(metrics_, resource_, began_, std::chrono::system_clock::now());
      if (options_.exporting.protocol == Protocol::json) body = otlp_json_of_metrics(body);
      sent = sender_.send(body);
    } catch (const std::exception& error) {
      sent.problem = error.what();
    }
    if (sent.problem.empty()) return;
    const auto time = steady_clock::now();
    if (warned_ && time - *warned_ < kBetweenWarnings) return;
    warned_ = time;
    log::warn(
        "metrics were not taken by the collector; /metrics has them, and "
        "OTEL_METRICS_EXPORTER=none keeps them there",
        {{"detail", http::printable(std::string_view(sent.problem).substr(0, kMostProblemBytes))}});
  }

  const MetricsOptions options_;
  const Metrics& metrics_;
  const KeyValues resource_;
  const std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
  OtlpSender sender_;
  std::optional<steady_clock::time_point> warned_;  // of the thread alone
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<MetricsExporter> make_metrics_exporter(const MetricsOptions& options,
                                                       const Metrics& metrics,
                                                       const KeyValues& resource) {
  if (!options.is_on()) return nullptr;
  return std::make_unique<PeriodicExporter>(options, metrics, resource);
}

}  // namespace maas::trace
