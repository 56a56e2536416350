#pragma once

#include "core/message.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::stm {

// The form of an extractive summary: kSummaryHeader, then a line "speaker: text" for each run of
// sentences. It is read back when the summary is itself summarized.

inline constexpr std::string_view kSummaryHeader = "Summary of the earlier conversation:";

// One sentence that may stand in a summary. Its views point into the messages.
struct Candidate {
  std::string_view speaker;   // a role's name; empty: a line of an earlier summary that names none
  std::string_view sentence;  // verbatim, without a line break
  // A message, or a line of an earlier summary; they are numbered from the oldest.
  std::size_t paragraph = 0;
  bool opens_paragraph = false;
  bool from_summary = false;
};

// The sentences of `messages` in their order. A text said again stands at its last place only, so
// that the newest state of things comes last. Sentences of system messages only if there are no
// others: they are instructions, which the caller of a model sends with every request.
std::vector<Candidate> collect_candidates(std::span<const Message> messages);

// Lines of `chosen`, which are in order; neighbours of one paragraph share a line.
std::string format_summary(std::span<const Candidate> chosen, bool with_header);

// "speaker: sentence", or the sentence alone where no speaker is named.
std::string format_line(const Candidate& candidate);

}  // namespace maas::stm
