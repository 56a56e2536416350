#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maas::text {

// Who speaks in a text of the form "Name: what is said", and who is named in a question.

// The name in front of the first colon, where the text begins like a line of a dialogue: one to
// three capitalized words (or words of a script without case, or numbers behind one: "Speaker 2";
// "van" and "de" don't count), at most 40 bytes, then ": " or "：" and something said. Empty where
// it doesn't. A view into `text`.
std::string_view speaker_prefix(std::string_view text);

// What is said: `text` without "name:" and white space at its beginning, if it is there, in
// whatever case.
std::string_view without_speaker(std::string_view text, std::string_view name);

// Where a text names a speaker.
struct Mention {
  std::size_t begin = 0;  // bytes of the text, a possessive "'s" included
  std::size_t end = 0;
  std::size_t speaker = 0;  // index into the speakers
  bool possessive = false;
};

// Every mention of one of `speakers` in `text`, in order and without overlaps: the full name, or a
// word of it that is no other speaker's and no title, with what stands beside it of the same name.
// Case doesn't matter, except for a name that is just as well another word ("Will", "Mark", "Rose")
// or a single letter, which must be capitalized.
std::vector<Mention> find_mentions(std::string_view text, std::span<const std::string> speakers);

// `text` with each mention as its speaker would say it: "I", or "my" for a possessive.
std::string in_first_person(std::string_view text, std::span<const Mention> mentions);

// `text` without the mentions, and without one of two spaces that this brings together.
std::string without_mentions(std::string_view text, std::span<const Mention> mentions);

}  // namespace maas::text
