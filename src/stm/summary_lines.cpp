#include "stm/summary_lines.hpp"

#include "text/sentences.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

namespace maas::stm {
namespace {

constexpr std::string_view kAfterSpeaker = ": ";

struct Line {
  std::string_view speaker;
  std::string_view text;
};

Line parse_line(std::string_view line) {
  for (const Role role : {Role::user, Role::assistant, Role::system}) {
    const std::string_view speaker = to_string(role);
    if (line.starts_with(speaker) && line.substr(speaker.size()).starts_with(kAfterSpeaker)) {
      return {speaker, line.substr(speaker.size() + kAfterSpeaker.size())};
    }
  }
  return {"", line};
}

class Collector {
 public:
  void add_paragraph(std::string_view speaker, std::string_view text, bool from_summary) {
    bool opens = true;
    for (const std::string_view sentence : text::sentences(text)) {
      const auto [last, is_new] = last_.try_emplace(sentence, found_.size());
      bool was_in_summary = from_summary;
      if (!is_new) {
        Candidate& earlier = found_[std::exchange(last->second, found_.size())];
        was_in_summary = was_in_summary || earlier.from_summary;
        earlier.sentence = {};
      }
      found_.push_back({speaker, sentence, paragraph_, opens, was_in_summary});
      opens = false;
    }
    if (!opens) ++paragraph_;
  }

  void add_summary(std::string_view text) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view whole = text.substr(begin, end - begin);
      if (begin > 0 || whole != kSummaryHeader) {
        const Line line = parse_line(whole);
        add_paragraph(line.speaker, line.text, true);
      }
      begin = end + 1;
    }
  }

  std::vector<Candidate> take() {
    std::erase_if(found_, [](const Candidate& candidate) { return candidate.sentence.empty(); });
    return std::move(found_);
  }

 private:
  std::vector<Candidate> found_;
  std::unordered_map<std::string_view, std::size_t> last_;  // of each text, in found_
  std::size_t paragraph_ = 0;
};

// What stands between two sentences that can share a line: nothing or a space.
std::optional<std::string_view> gap_between(const Candidate& before, const Candidate& after) {
  if (before.paragraph != after.paragraph) return std::nullopt;
  const char* end = before.sentence.data() + before.sentence.size();
  const std::string_view gap(end, static_cast<std::size_t>(after.sentence.data() - end));
  if (gap.empty()) return "";
  if (gap.find_first_not_of(" \t") == std::string_view::npos) return " ";
  return std::nullopt;
}

}  // namespace

std::vector<Candidate> collect_candidates(std::span<const Message> messages) {
  Collector collector;
  for (const Message& message : messages) {
    if (message.role == Role::summary) {
      collector.add_summary(message.content);
    } else {
      collector.add_paragraph(to_string(message.role), message.content, false);
    }
  }
  std::vector<Candidate> candidates = collector.take();
  const auto is_instruction = [](const Candidate& candidate) {
    return candidate.speaker == to_string(Role::system);
  };
  if (!std::ranges::all_of(candidates, is_instruction)) std::erase_if(candidates, is_instruction);
  return candidates;
}

std::string format_line(const Candidate& candidate) {
  std::string line;
  if (!candidate.speaker.empty()) line.append(candidate.speaker).append(kAfterSpeaker);
  return line.append(candidate.sentence);
}

std::string format_summary(std::span<const Candidate> chosen, bool with_header) {
  std::string summary(with_header ? kSummaryHeader : "");
  const Candidate* before = nullptr;
  for (const Candidate& candidate : chosen) {
    const auto gap = before != nullptr ? gap_between(*before, candidate) : std::nullopt;
    if (gap) {
      summary.append(*gap).append(candidate.sentence);
    } else {
      if (!summary.empty()) summary += '\n';
      summary += format_line(candidate);
    }
    before = &candidate;
  }
  return summary;
}

}  // namespace maas::stm
