#pragma once

#include "core/memory.hpp"
#include "ltm/search.hpp"
#include "text/analysis.hpp"
#include "text/language.hpp"
#include "text/questions.hpp"
#include "text/speakers.hpp"
#include "text/stop_words.hpp"
#include "text/time_expressions.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace maas::test {

// A memory with its vector.
struct PlainMemory {
  Memory memory;
  std::vector<float> vector;
};

// Search as retrieval.md words it, without an index and without haste: every number is computed
// from the texts alone, for every memory, each time.
class PlainSearch {
 public:
  explicit PlainSearch(std::vector<PlainMemory> memories) : memories_(std::move(memories)) {
    std::ranges::sort(memories_, [](const PlainMemory& a, const PlainMemory& b) {
      return std::tie(a.memory.created_at, a.memory.sequence) <
             std::tie(b.memory.created_at, b.memory.sequence);
    });
    find_speakers();
    find_neighbours();
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      const std::string said = body(i);
      const auto words = text::content_words(said);
      words_.push_back(counts(text::word_terms(words)));
      grams_.push_back(counts(text::gram_terms(words)));
    }
  }

  // The fused score of every memory that matches, by id.
  std::map<std::string, double> fused(const ltm::SearchQuery& query) const {
    const std::vector<std::string> names(speakers_.begin(), speakers_.end());
    const auto mentions = text::find_mentions(query.text, names);
    auto words = text::content_words(text::without_mentions(query.text, mentions));
    if (std::ranges::all_of(words, [](const auto& word) { return text::is_stop_word(word); })) {
      words = text::content_words(query.text);
    }
    std::vector<std::string> named;
    for (const auto& mention : mentions) {
      if (std::ranges::find(named, names[mention.speaker]) == named.end()) {
        named.push_back(names[mention.speaker]);
      }
    }
    const std::vector<double> dense = dense_arm(query.vector);
    std::map<std::string, double> result;
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      double s = lexical(i, words) + (dense.empty() ? 0 : 3 * dense[i]);
      if (s <= 0) continue;
      if (named.size() == 1 && speaker(i) == named[0]) s *= 1.5;
      if (named.size() > 1 && speaker(i) == named[0]) s *= 1.25;
      s *= 1 - .4 * text::question_share(body(i));
      if (text::asks_for_time(query.text) && text::tells_time(body(i))) s *= 1.4;
      result[memories_[i].memory.id] = s;
    }
    return result;
  }

 private:
  using Counts = std::map<text::Term, double>;

  static Counts counts(const std::vector<text::TermCount>& terms) {
    Counts result;
    for (const auto& [term, count] : terms) result[term] = count;
    return result;
  }

  static double sum(const Counts& counts) {
    double total = 0;
    for (const auto& [term, count] : counts) total += count;
    return total;
  }

  void find_speakers() {
    std::map<std::string, int> lines;
    for (const PlainMemory& each : memories_) {
      if (!each.memory.speaker.empty()) {
        speakers_.insert(each.memory.speaker);
      } else if (const auto name = text::speaker_prefix(each.memory.text); !name.empty()) {
        if (++lines[std::string(name)] >= 3) speakers_.insert(std::string(name));
      }
    }
  }

  std::string speaker(std::size_t i) const {
    const Memory& memory = memories_[i].memory;
    if (!memory.speaker.empty()) return memory.speaker;
    const std::string name(text::speaker_prefix(memory.text));
    return speakers_.contains(name) ? name : "";
  }

  std::string body(std::size_t i) const {
    return std::string(text::without_speaker(memories_[i].memory.text, speaker(i)));
  }

  // Sessions: the same session id, no pause of more than an hour.
  void find_neighbours() {
    std::map<std::string, std::vector<std::size_t>> chains;
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      chains[memories_[i].memory.scope.session_id].push_back(i);
    }
    before_.assign(memories_.size(), {});
    after_.assign(memories_.size(), {});
    for (const auto& [id, chain] : chains) {
      for (std::size_t k = 0; k < chain.size(); ++k) {
        for (std::size_t d = 1; d <= 4 && d <= k && together(chain, k - d, k); ++d) {
          before_[chain[k]].push_back(chain[k - d]);
          after_[chain[k - d]].push_back(chain[k]);
        }
      }
    }
  }

  bool together(const std::vector<std::size_t>& chain, std::size_t from, std::size_t to) const {
    for (std::size_t k = from; k < to; ++k) {
      if (memories_[chain[k + 1]].memory.created_at - memories_[chain[k]].memory.created_at >
          std::chrono::hours(1)) {
        return false;
      }
    }
    return true;
  }

  template <class Of>
  double blended(std::size_t i, Of of) const {
    double total = of(i);
    for (std::size_t d = 0; d < before_[i].size(); ++d) {
      total += .5 * std::pow(.6, static_cast<double>(d)) * of(before_[i][d]);
    }
    for (std::size_t d = 0; d < after_[i].size(); ++d) {
      total += .3 * std::pow(.6, static_cast<double>(d)) * of(after_[i][d]);
    }
    return total;
  }

  double lexical(std::size_t i, const std::vector<std::string>& words) const {
    const auto count_of = [](const Counts& counts, text::Term term) {
      const auto found = counts.find(term);
      return found == counts.end() ? 0. : found->second;
    };
    const auto word_length = [&](std::size_t k) {
      return blended(k, [&](std::size_t j) { return sum(words_[j]); });
    };
    const auto gram_length = [&](std::size_t k) {
      return blended(k, [&](std::size_t j) { return sum(grams_[j]); });
    };
    double total = 0;
    for (const auto& [term, count] : text::word_terms(words)) {
      const double tf = blended(i, [&](std::size_t j) { return count_of(words_[j], term); });
      total += count * bm25(i, tf, holders(words_, term), word_length);
    }
    for (const auto& [term, count] : text::gram_terms(words)) {
      const double tf = blended(i, [&](std::size_t j) { return count_of(grams_[j], term); });
      total += .1 * count * bm25(i, tf, holders(grams_, term), gram_length);
    }
    return total;
  }

  static double holders(const std::vector<Counts>& all, text::Term term) {
    return static_cast<double>(
        std::ranges::count_if(all, [term](const Counts& counts) { return counts.contains(term); }));
  }

  template <class Length>
  double bm25(std::size_t i, double tf, double df, Length length) const {
    const auto n = static_cast<double>(memories_.size());
    double mean = 0;
    for (std::size_t k = 0; k < memories_.size(); ++k) mean += length(k) / n;
    const double idf = std::log(1 + (n - df + .5) / (df + .5));
    return idf * tf * 2.2 / (tf + 1.2 * (1 - .4 + .4 * length(i) / std::max(1., mean)));
  }

  std::vector<double> dense_arm(const std::vector<float>& query) const {
    if (query.empty()) return {};
    std::vector<double> cosines;
    for (std::size_t i = 0; i < memories_.size(); ++i) cosines.push_back(cosine(i, query));
    double n = 8, total = 8 * .12, squares = 8 * (.12 * .12 + .12 * .12);
    for (const double c : cosines) {
      if (std::isnan(c)) continue;
      n += 1;
      total += c;
      squares += c * c;
    }
    const double mean = total / n;
    const double deviation = std::sqrt(squares / n - mean * mean);
    for (double& c : cosines) c = std::isnan(c) ? 0 : std::max(0., (c - mean) / deviation);
    return cosines;
  }

  double cosine(std::size_t i, const std::vector<float>& query) const {
    std::vector<double> blend(query.size());
    const auto add = [&](std::size_t j, double weight) {
      for (std::size_t k = 0; k < memories_[j].vector.size(); ++k) {
        blend[k] += weight * memories_[j].vector[k];
      }
    };
    add(i, 1);
    for (std::size_t d = 0; d < std::min<std::size_t>(2, before_[i].size()); ++d) {
      add(before_[i][d], d == 0 ? .3 : .15);
    }
    for (std::size_t d = 0; d < std::min<std::size_t>(2, after_[i].size()); ++d) {
      add(after_[i][d], d == 0 ? .2 : .1);
    }
    double dot = 0, norm = 0;
    for (std::size_t k = 0; k < query.size(); ++k) {
      dot += blend[k] * query[k];
      norm += blend[k] * blend[k];
    }
    return dot / std::sqrt(norm);  // NaN: no vector
  }

  std::vector<PlainMemory> memories_;
  std::set<std::string> speakers_;
  std::vector<std::vector<std::size_t>> before_, after_;  // the nearest first
  std::vector<Counts> words_, grams_;
};

}  // namespace maas::test
