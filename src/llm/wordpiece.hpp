#pragma once

#include "text/bert_words.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace maas::llm {

// What a WordPiece tokenizer consists of, as a tokenizer.json says it.
struct WordPieceParts {
  std::vector<std::pair<std::string, std::int32_t>> vocabulary = {};  // tokens with their ids
  std::string unknown = "[UNK]";                                      // in place of a strange word
  std::string continuing_prefix = "##";  // of tokens that go on in a word
  // Written out in a text they are these tokens, whatever stands around them.
  std::vector<std::pair<std::string, std::int32_t>> specials = {};
  std::vector<std::int64_t> before = {};  // what a text's tokens stand between: [CLS]
  std::vector<std::int64_t> after = {};   // [SEP]
  text::BertRules rules = {};
};

// The tokenizer of BERT models: a text's words, each as the longest pieces that the vocabulary has.
// Gives the ids that Hugging Face's `tokenizers` gives. Immutable, so thread-safe.
class WordPiece {
 public:
  // Throws Error{invalid_argument} if the vocabulary lacks the unknown token.
  explicit WordPiece(const WordPieceParts& parts);

  // `before`, the text's tokens, `after`: at most `max_tokens` ids, at least those of the two.
  // Reads no more of the text than fits, in time linear in it.
  std::vector<std::int64_t> encode(std::string_view text, std::size_t max_tokens) const;

  std::int64_t unknown() const { return unknown_; }
  std::int64_t largest_id() const { return largest_id_; }

  WordPiece(const WordPiece&) = delete;  // its maps point into its tokens
  WordPiece& operator=(const WordPiece&) = delete;

 private:
  using Ids = std::unordered_map<std::string_view, std::int32_t>;
  struct Special {
    std::size_t begin = std::string_view::npos;  // npos: none
    std::size_t size = 0;
    std::int64_t id = 0;
  };

  Special next_special(std::string_view text, std::size_t from) const;
  void append_text(std::string_view text, std::size_t limit, std::vector<std::int64_t>& ids) const;
  void append_word(std::string_view word, std::vector<std::int64_t>& ids) const;

  std::string tokens_;  // one after the other
  Ids starts_;          // what begins a word
  Ids continuations_;   // what goes on in one, without its prefix
  Ids specials_;
  std::string special_starts_;  // the bytes that specials begin with
  std::size_t longest_ = 0;     // bytes
  std::int64_t largest_id_ = 0;
  std::int64_t unknown_ = 0;
  std::vector<std::int64_t> before_;
  std::vector<std::int64_t> after_;
  text::BertRules rules_;
};

}  // namespace maas::llm
