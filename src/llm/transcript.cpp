#include "llm/transcript.hpp"

#include <algorithm>

namespace maas::llm {
namespace {

std::string indented(std::string_view content) {
  std::string text;
  text.reserve(content.size());
  for (const char character : content) {
    text += character;
    if (character == '\n') text += "  ";
  }
  return text;
}

// Never empty: of one character with more marks than there are tokens, some bytes, for a token has
// at least one.
std::string_view first_piece(std::string_view text, std::int64_t max_tokens,
                             text::Encoding encoding) {
  const std::string_view piece = text::prefix_within(text, max_tokens, encoding);
  if (!piece.empty()) return piece;
  std::size_t end = std::min(text.size(), static_cast<std::size_t>(max_tokens));
  while (end < text.size() && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::vector<std::string> turns_of(std::string_view speaker, std::string_view content,
                                  std::int64_t max_tokens, text::Encoding encoding) {
  constexpr std::int64_t kLeast = 8;  // any character fits
  std::string begin(speaker);
  std::ranges::replace(begin, '\n', ' ');
  begin += ": ";
  const std::int64_t room = std::max(kLeast, max_tokens - text::count_tokens(begin, encoding) - 1);
  const std::string text = indented(content);
  std::vector<std::string> turns;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view piece = first_piece(rest, room, encoding);
    turns.push_back(begin + std::string(piece) + "\n");
    rest.remove_prefix(piece.size());
  }
  return turns;
}

}  // namespace maas::llm
