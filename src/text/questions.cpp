#include "text/questions.hpp"

#include "text/sentences.hpp"
#include "text/words.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace maas::text {
namespace {

// Latin, Armenian, Arabic, Ethiopic, the doubled and mixed ones, fullwidth; not the Greek one,
// which Unicode makes a semicolon.
constexpr auto kQuestionMarks =
    std::to_array<std::string_view>({"?", "\u055E", "\u061F", "\u1367", "\u203D", "\u2047",
                                     "\u2048", "\u2049", "\uFE56", "\uFF1F"});

bool holds_question_mark(std::string_view text) {
  return std::ranges::any_of(kQuestionMarks, [&](std::string_view mark) {
    return text.find(mark) != std::string_view::npos;
  });
}

// Whether a question mark stands behind the last letter or digit.
bool is_question(std::string_view sentence) {
  std::size_t behind = 0;
  for (std::size_t at = 0; at < sentence.size();) {
    UChar32 code_point = 0;
    U8_NEXT(sentence.data(), at, sentence.size(), code_point);
    if (u_isalnum(code_point)) behind = at;
  }
  return holds_question_mark(sentence.substr(behind));
}

}  // namespace

double question_share(std::string_view text) {
  if (!holds_question_mark(text)) return 0;
  std::size_t all = 0;
  std::size_t in_questions = 0;
  for (const std::string_view sentence : sentences(text, text.size())) {
    const std::size_t count = words(sentence).size();
    all += count;
    if (is_question(sentence)) in_questions += count;
  }
  return all == 0 ? 0 : static_cast<double>(in_questions) / static_cast<double>(all);
}

}  // namespace maas::text
