#include "llm/wordpiece.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace maas::llm {
namespace {

bool continues_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !continues_code_point(byte); }));
}

}  // namespace

WordPiece::WordPiece(const WordPieceParts& parts)
    : before_(parts.before), after_(parts.after), rules_(parts.rules) {
  const std::string& prefix = parts.continuing_prefix;
  std::size_t bytes = 0;
  for (const auto* tokens : {&parts.vocabulary, &parts.specials}) {
    for (const auto& [token, id] : *tokens) bytes += token.size();
  }
  tokens_.reserve(bytes);  // views into it have to stay
  const auto kept = [this](std::string_view token) {
    tokens_ += token;
    return std::string_view(tokens_).substr(tokens_.size() - token.size());
  };
  starts_.reserve(parts.vocabulary.size());
  for (const auto& [token, id] : parts.vocabulary) {
    std::string_view piece = kept(token);
    const bool continues = piece.starts_with(prefix) && piece.size() > prefix.size();
    if (continues) piece.remove_prefix(prefix.size());
    longest_ = std::max(longest_, piece.size());
    largest_id_ = std::max<std::int64_t>(largest_id_, id);
    (continues ? continuations_ : starts_).try_emplace(piece, id);
    if (token == parts.unknown) unknown_ = id;
  }
  for (const auto& [token, id] : parts.specials) {
    if (token.empty()) continue;
    specials_.try_emplace(kept(token), id);
    if (special_starts_.find(token.front()) == std::string::npos) special_starts_ += token.front();
    largest_id_ = std::max<std::int64_t>(largest_id_, id);
  }
  if (!starts_.contains(parts.unknown)) {
    throw Error(Errc::invalid_argument, "the vocabulary lacks the token " + parts.unknown);
  }
}

// Of several that begin at one place the longest.
WordPiece::Special WordPiece::next_special(std::string_view text, std::size_t from) const {
  Special found;
  for (std::size_t at = text.find_first_of(special_starts_, from); at != text.npos;
       at = text.find_first_of(special_starts_, at + 1)) {
    for (const auto& [special, id] : specials_) {
      if (special.size() > found.size && text.substr(at).starts_with(special)) {
        found = {at, special.size(), id};
      }
    }
    if (found.size > 0) return found;
  }
  return found;
}

std::vector<std::int64_t> WordPiece::encode(std::string_view text, std::size_t max_tokens) const {
  const std::size_t limit = std::max(max_tokens, before_.size() + after_.size()) - after_.size();
  std::vector<std::int64_t> ids = before_;
  for (std::size_t at = 0; at <= text.size() && ids.size() < limit;) {
    const Special special = next_special(text, at);
    append_text(text.substr(at, special.begin - at), limit, ids);
    if (special.begin == text.npos) break;
    ids.push_back(special.id);
    at = special.begin + special.size;
  }
  ids.resize(std::min(ids.size(), limit));
  ids.insert(ids.end(), after_.begin(), after_.end());
  return ids;
}

void WordPiece::append_text(std::string_view text, std::size_t limit,
                            std::vector<std::int64_t>& ids) const {
  text::BertWords words(text, rules_);
  while (ids.size() < limit) {
    const auto word = words.next();
    if (!word) return;
    append_word(*word, ids);
  }
}

void WordPiece::append_word(std::string_view word, std::vector<std::int64_t>& ids) const {
  const std::size_t before = ids.size();
  bool known = count_code_points(word) <= rules_.longest_word;
  for (std::size_t at = 0; known && at < word.size();) {
    const Ids& pieces = at == 0 ? starts_ : continuations_;
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
