#include "ltm/memory_text.hpp"

#include "text/folding.hpp"
#include "text/speakers.hpp"

#include <algorithm>

namespace maas::ltm {
namespace {

// Bytes of a text that mostly tell whether it is blank.
constexpr std::size_t kBeginning = 256;

}  // namespace

bool is_blank(std::string_view text) {
  // One visible ASCII character settles it without folding, and so does nearly every beginning.
  const auto visible = [](char character) { return character > ' ' && character < '\x7f'; };
  if (std::ranges::any_of(text, visible)) return false;
  std::size_t end = std::min(text.size(), kBeginning);
  while (end < text.size() && (text[end] & 0xc0) == 0x80) ++end;
  return text::folded_line(text.substr(0, end)).empty() && text::folded_line(text).empty();
}

std::string said(const Memory& memory) {
  const std::string_view speaker =
      memory.speaker.empty() ? text::speaker_prefix(memory.text) : memory.speaker;
  return std::string(text::without_speaker(memory.text, speaker));
}

std::optional<std::string> fact_text(const boost::json::value& value) {
  constexpr std::string_view kSpace = " \t\r\n";
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.get_string();
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return std::string();
  text = text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
  if (text.size() > kMaxFactBytes) return std::nullopt;
  return is_blank(text) ? std::string() : std::string(text);
}

}  // namespace maas::ltm
