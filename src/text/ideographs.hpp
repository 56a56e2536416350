// Used by text/ alone: character bigrams of Chinese and Japanese, whose words a dictionary finds
// differently in different sentences.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace maas::text {

// Neighbouring words, as long as they are of Han characters, Hiragana or Katakana.
class IdeographRun {
 public:
  // The next word, without anything between it and the one before. A word of another script ends
  // the run.
  void add(std::string_view word, std::vector<std::string>& found);

  // Appends each two neighbouring characters of the run to `found`, except where they are one of
  // its words, and begins another run.
  void end(std::vector<std::string>& found);

 private:
  std::string text_;
  std::vector<std::size_t> starts_;  // of the characters, in bytes
  std::vector<std::size_t> pairs_;   // the first characters of words of two, ascending
};

}  // namespace maas::text
