#include "llm/embedding_cache.hpp"

#include "trace/metrics.hpp"

#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace maas::llm {
namespace {

// What an entry takes beside its text and its vector: two nodes, a bucket, allocators' headers.
constexpr std::size_t kEntryBytes = 192;

// Texts and their vectors, the one used last first. Thread-safe.
class RecentVectors {
 public:
  explicit RecentVectors(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Empty: not here.
  Vector find(const std::string& text) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(text);
    if (found == places_.end()) return {};
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->vector;
  }

  void keep(const std::string& text, const Vector& vector) {
    if (size_of({text, vector}) > max_bytes_) return;
    std::list<Entry> made;  // allocates before the lock
    made.push_front({text, vector});
    const std::lock_guard lock(mutex_);
    if (!places_.try_emplace(made.front().text, made.begin()).second) return;
    bytes_ += size_of(made.front());
    entries_.splice(entries_.begin(), made);
    while (bytes_ > max_bytes_) {
      bytes_ -= size_of(entries_.back());
      places_.erase(entries_.back().text);
      entries_.pop_back();
    }
  }

 private:
  struct Entry {
    std::string text;
    Vector vector;
  };

  static std::size_t size_of(const Entry& entry) {
    return entry.text.size() + entry.vector.size() * sizeof(float) + kEntryBytes;
  }

  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;
  std::size_t bytes_ = 0;
};

class EmbeddingCache final : public Embedder {
 public:
  EmbeddingCache(std::unique_ptr<Embedder> embedder, CachedTexts cached, std::size_t max_bytes)
      : embedder_(std::move(embedder)), cached_(cached), recent_(max_bytes) {}

  std::string_view engine() const override { return embedder_->engine(); }
  std::string_view model() const override { return embedder_->model(); }
  std::size_t dims() const override { return embedder_->dims(); }
  Task<std::optional<std::string>> problem() override { return embedder_->problem(); }

  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind,
                                  trace::Parent parent) override {
    if (kind == TextKind::document && cached_ == CachedTexts::queries) {
      return embedder_->embed(texts, kind, std::move(parent));
    }
    return embed_new(texts, kind, std::move(parent));
  }

 private:
  static std::string key_of(const std::string& text, TextKind kind) {
    return (kind == TextKind::query ? 'q' : 'd') + text;
  }

  Task<std::vector<Vector>> embed_new(std::span<const std::string> texts, TextKind kind,
                                      trace::Parent parent) {
    std::vector<Vector> vectors;
    vectors.reserve(texts.size());
    std::vector<std::string> missing;
    for (const std::string& text : texts) {
      vectors.push_back(recent_.find(key_of(text, kind)));
      if (vectors.back().empty()) missing.push_back(text);
    }
    count(texts.size() - missing.size(), missing.size());
    if (missing.empty()) co_return vectors;
    std::vector<Vector> computed = co_await embedder_->embed(missing, kind, std::move(parent));
    std::size_t next = 0;
    for (Vector& vector : vectors) {
      if (!vector.empty()) continue;
      recent_.keep(key_of(missing[next], kind), computed[next]);
      vector = std::move(computed[next++]);
    }
    co_return vectors;
  }

  static void count(std::size_t hits, std::size_t misses) {
    trace::Counter& lookups = trace::metrics().cache_lookups;
    if (hits > 0) lookups.add(static_cast<double>(hits), {"embeddings", "hit"});
    if (misses > 0) lookups.add(static_cast<double>(misses), {"embeddings", "miss"});
  }

  std::unique_ptr<Embedder> embedder_;
  CachedTexts cached_;
  RecentVectors recent_;
};

}  // namespace

std::unique_ptr<Embedder> make_embedding_cache(std::unique_ptr<Embedder> embedder,
                                               CachedTexts cached, std::size_t max_bytes) {
  return std::make_unique<EmbeddingCache>(std::move(embedder), cached, max_bytes);
}

}  // namespace maas::llm
