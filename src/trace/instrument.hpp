#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace maas::trace {

// What an instrument measures. All are literals.
struct Measured {
  std::string_view name;                          // OpenTelemetry's: "http.server.request.duration"
  std::string_view unit;                          // of UCUM: "s", "{token}"
  std::string_view meaning;                       // for people
  std::vector<std::string_view> attributes = {};  // by which its series differ
  std::vector<double> boundaries = {};            // of a histogram's buckets, inclusive, rising
};

// The values of a series' attributes, in their order; empty: it has none of that name. Of few
// kinds: never an id or a text of users.
using Labels = std::initializer_list<std::string_view>;

// What a series had counted at some moment.
struct Point {
  std::vector<std::string> labels;
  double value = 0;                    // of a counter or a gauge; the sum of a histogram
  std::vector<std::uint64_t> buckets;  // of a histogram: one per boundary, and one above them
};

enum class Measurement { counter, gauge, histogram };

// Instruments count for the life of the process. Thread-safe; recording never fails its caller, and
// costs a look into a table.
class Instrument {
 public:
  Instrument(Measurement kind, Measured measured) : kind_(kind), measured_(std::move(measured)) {}
  Instrument(const Instrument&) = delete;
  virtual ~Instrument() = default;

  Measurement kind() const { return kind_; }
  const Measured& measured() const { return measured_; }
  virtual std::vector<Point> points() const = 0;

 private:
  Measurement kind_;
  Measured measured_;
};

// Those of a process, in the order in which they are shown.
using Instruments = std::vector<const Instrument*>;

// The series of an instrument by their labels. Thread-safe.
template <class Series>
class SeriesTable {
 public:
  // `make` gives the arguments of a new one. It stays where it is.
  template <class... Arguments>
  Series& at(Labels labels, const Arguments&... arguments) {
    thread_local std::string key;
    key.clear();
    for (const std::string_view label : labels) (key += label) += '\0';
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = series_.find(key); found != series_.end()) return found->second.series;
    }
    const std::lock_guard lock(mutex_);
    return series_.try_emplace(key, labels, arguments...).first->second.series;
  }

  template <class Visit>
  void visit(const Visit& visit) const {
    const std::shared_lock lock(mutex_);
    for (const auto& [key, entry] : series_) visit(entry.labels, entry.series);
  }

 private:
  struct Entry {
    template <class... Arguments>
    explicit Entry(Labels told, const Arguments&... arguments)
        : labels(told.begin(), told.end()), series(arguments...) {}
    std::vector<std::string> labels;
    Series series;
  };

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Entry> series_;
};

// A number that is added to, or that is asked for when somebody looks.
class Number : public Instrument {
 public:
  using Source = std::function<double()>;

  using Instrument::Instrument;

  void add(double value, Labels labels = {}) {
    series_.at(labels).fetch_add(value, std::memory_order_relaxed);
  }

  std::vector<Point> points() const override;

 private:
  friend class Reading;
  struct Asked {
    std::vector<std::string> labels;
    Source source;
  };

  SeriesTable<std::atomic<double>> series_;
  mutable std::mutex mutex_;
  std::list<Asked> asked_;
};

class Counter final : public Number {
 public:
  Counter(Instruments& all, Measured measured) : Number(Measurement::counter, std::move(measured)) {
    all.push_back(this);
  }
};

class Gauge final : public Number {
 public:
  Gauge(Instruments& all, Measured measured) : Number(Measurement::gauge, std::move(measured)) {
    all.push_back(this);
  }
};

// A series whose value is asked for until this is destroyed. The source is called by any thread,
// and must not look at instruments.
class Reading {
 public:
  Reading(Number& number, Labels labels, Number::Source source);
  Reading(Reading&& other) noexcept;
  Reading& operator=(Reading&&) = delete;
  ~Reading();

 private:
  Number* number_;
  std::list<Number::Asked>::iterator place_;
};

class Histogram final : public Instrument {
 public:
  Histogram(Instruments& all, Measured measured)
      : Instrument(Measurement::histogram, std::move(measured)) {
    all.push_back(this);
  }

  void record(double value, Labels labels = {});

  std::vector<Point> points() const override;

 private:
  struct Series {
    explicit Series(std::size_t boundaries)
        : buckets(std::make_unique<std::atomic<std::uint64_t>[]>(boundaries + 1)) {}
    std::unique_ptr<std::atomic<std::uint64_t>[]> buckets;
    std::atomic<double> sum = 0;
  };

  SeriesTable<Series> series_;
};

}  // namespace maas::trace
