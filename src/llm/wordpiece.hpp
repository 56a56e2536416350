#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace maas::llm {

// The tokenizer of the uncased BERT models: a text's words, each as the longest pieces that the
// vocabulary has. Gives the ids that Hugging Face's `tokenizers` gives. Immutable, so thread-safe.
class WordPiece {
 public:
  // `vocabulary` is the content of a vocab.txt: a token a line, its id the line's number. Throws
  // Error{unavailable} if it lacks one of [CLS], [SEP] and [UNK].
  explicit WordPiece(std::string vocabulary);

  // [CLS], the text's tokens, [SEP]: at most `max_tokens` (2 or more) ids. Reads no more of the
  // text than fits, in time linear in it.
  std::vector<std::int64_t> encode(std::string_view text, std::size_t max_tokens) const;

  std::size_t size() const { return tokens_.size() + continuations_.size(); }

  WordPiece(const WordPiece&) = delete;  // its maps point into its vocabulary
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

  std::string vocabulary_;
  Ids tokens_;               // what begins a word
  Ids continuations_;        // what goes on in one, without its ##
  std::size_t longest_ = 0;  // bytes
  std::int64_t unknown_ = 0;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace maas::llm
