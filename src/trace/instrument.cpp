#include "trace/instrument.hpp"

#include <algorithm>
#include <utility>

namespace maas::trace {

std::vector<Point> Number::points() const {
  std::vector<Point> points;
  series_.visit(
      [&points](const std::vector<std::string>& labels, const std::atomic<double>& value) {
        points.push_back(
            {.labels = labels, .value = value.load(std::memory_order_relaxed), .buckets = {}});
      });
  const std::lock_guard lock(mutex_);
  for (const Asked& asked : asked_) {
    points.push_back({.labels = asked.labels, .value = asked.source(), .buckets = {}});
  }
  return points;
}

Reading::Reading(Number& number, Labels labels, Number::Source source) : number_(&number) {
  const std::lock_guard lock(number.mutex_);
  place_ = number.asked_.insert(number.asked_.end(),
                                {{labels.begin(), labels.end()}, std::move(source)});
}

Reading::Reading(Reading&& other) noexcept
    : number_(std::exchange(other.number_, nullptr)), place_(other.place_) {}

Reading::~Reading() {
  if (!number_) return;
  const std::lock_guard lock(number_->mutex_);
  number_->asked_.erase(place_);
}

void Histogram::record(double value, Labels labels) {
  const std::vector<double>& boundaries = measured().boundaries;
  Series& series = series_.at(labels, boundaries.size());
  const auto bucket = std::ranges::lower_bound(boundaries, value) - boundaries.begin();
  series.buckets[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  series.sum.fetch_add(value, std::memory_order_relaxed);
}

std::vector<Point> Histogram::points() const {
  const std::size_t buckets = measured().boundaries.size() + 1;
  std::vector<Point> points;
  series_.visit([&points, buckets](const std::vector<std::string>& labels, const Series& series) {
    Point point{
        .labels = labels, .value = series.sum.load(std::memory_order_relaxed), .buckets = {}};
    for (std::size_t i = 0; i < buckets; ++i) {
      point.buckets.push_back(series.buckets[i].load(std::memory_order_relaxed));
    }
    points.push_back(std::move(point));
  });
  return points;
}

}  // namespace maas::trace
