#include "llm/wordpiece.hpp"

#include "core/error.hpp"
#include "text/bert_words.hpp"

#include <algorithm>
#include <array>

namespace maas::llm {
namespace {

constexpr std::string_view kContinues = "##";
// Written out in a text they are these tokens, as they are to the reference.
constexpr std::array<std::string_view, 5> kSpecials = {"[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                                       "[MASK]"};

bool continues_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !continues_code_point(byte); }));
}

}  // namespace

WordPiece::WordPiece(std::string vocabulary) : vocabulary_(std::move(vocabulary)) {
  const std::string_view lines = vocabulary_;
  tokens_.reserve(static_cast<std::size_t>(std::ranges::count(lines, '\n')));
  std::int32_t id = 0;
  for (std::size_t at = 0; at < lines.size(); ++id) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    std::string_view token = lines.substr(at, end - at);
    at = end + 1;
    if (token.ends_with('\r')) token.remove_suffix(1);
    const bool continues = token.starts_with(kContinues) && token.size() > kContinues.size();
    if (continues) token.remove_prefix(kContinues.size());
    longest_ = std::max(longest_, token.size());
    (continues ? continuations_ : tokens_).try_emplace(token, id);
  }
  const auto required = [this](std::string_view token) {
    const auto found = tokens_.find(token);
    if (found == tokens_.end()) {
      throw Error(Errc::unavailable, "The local embedding model's vocabulary lacks the token " +
                                         std::string(token) +
                                         ". Run scripts/model to make it anew");
    }
    return found->second;
  };
  unknown_ = required("[UNK]");
  begin_ = required("[CLS]");
  end_ = required("[SEP]");
}

WordPiece::Special WordPiece::next_special(std::string_view text, std::size_t from) const {
  for (std::size_t at = text.find('[', from); at != text.npos; at = text.find('[', at + 1)) {
    for (const std::string_view special : kSpecials) {
      if (!text.substr(at).starts_with(special)) continue;
      const auto found = tokens_.find(special);
      if (found != tokens_.end()) return {at, special.size(), found->second};
    }
  }
  return {};
}

std::vector<std::int64_t> WordPiece::encode(std::string_view text, std::size_t max_tokens) const {
  const std::size_t limit = std::max<std::size_t>(max_tokens, 2) - 1;  // [SEP] takes one
  std::vector<std::int64_t> ids{begin_};
  for (std::size_t at = 0; at <= text.size() && ids.size() < limit;) {
    const Special special = next_special(text, at);
    append_text(text.substr(at, special.begin - at), limit, ids);
    if (special.begin == text.npos) break;
    ids.push_back(special.id);
    at = special.begin + special.size;
  }
  ids.resize(std::min(ids.size(), limit));
  ids.push_back(end_);
  return ids;
}

void WordPiece::append_text(std::string_view text, std::size_t limit,
                            std::vector<std::int64_t>& ids) const {
  text::BertWords words(text);
  while (ids.size() < limit) {
    const auto word = words.next();
    if (!word) return;
    append_word(*word, ids);
  }
}

void WordPiece::append_word(std::string_view word, std::vector<std::int64_t>& ids) const {
  const std::size_t before = ids.size();
  bool known = count_code_points(word) <= text::kLongestBertWord;
  for (std::size_t at = 0; known && at < word.size();) {
    const Ids& pieces = at == 0 ? tokens_ : continuations_;
    std::size_t size = std::min(word.size() - at, longest_);
    auto found = pieces.end();
    for (; size > 0; --size) {
      if (at + size < word.size() && continues_code_point(word[at + size])) continue;
      found = pieces.find(word.substr(at, size));
      if (found != pieces.end()) break;
    }
    known = size > 0;
    if (known) ids.push_back(found->second);
    at += size;
  }
  if (known) return;
  ids.resize(before);
  ids.push_back(unknown_);
}

}  // namespace maas::llm
