#include "text/ideographs.hpp"

#include <unicode/uscript.h>
#include <unicode/utf8.h>

namespace maas::text {
namespace {

bool is_ideograph(UChar32 code_point) {
  constexpr UChar32 kFirst = 0x2E80;
  if (code_point < kFirst) return false;
  // What several scripts share counts too: ー of both Hiragana and Katakana, 々.
  return uscript_hasScript(code_point, USCRIPT_HAN) ||
         uscript_hasScript(code_point, USCRIPT_HIRAGANA) ||
         uscript_hasScript(code_point, USCRIPT_KATAKANA);
}

bool is_ideographic(std::string_view word) {
  for (std::size_t at = 0; at < word.size();) {
    UChar32 code_point = 0;
    U8_NEXT(word.data(), at, word.size(), code_point);
    if (!is_ideograph(code_point)) return false;
  }
  return !word.empty();
}

}  // namespace

void IdeographRun::add(std::string_view word, std::vector<std::string>& found) {
  if (!is_ideographic(word)) {
    end(found);
    return;
  }
  const std::size_t first = starts_.size();
  for (std::size_t at = 0; at < word.size();) {
    starts_.push_back(text_.size() + at);
    U8_FWD_1(word.data(), at, word.size());
  }
  if (starts_.size() - first == 2) pairs_.push_back(first);
  text_ += word;
}

void IdeographRun::end(std::vector<std::string>& found) {
  auto pair = pairs_.begin();
  for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
    if (pair != pairs_.end() && *pair == i) {
      ++pair;
      continue;
    }
    const std::size_t bigram_end = i + 2 < starts_.size() ? starts_[i + 2] : text_.size();
    found.push_back(text_.substr(starts_[i], bigram_end - starts_[i]));
  }
  text_.clear();
  starts_.clear();
  pairs_.clear();
}

}  // namespace maas::text
