// Where a text names a speaker.
#include "text/ascii_words.hpp"
#include "text/name_words.hpp"
#include "text/speakers.hpp"
#include "text/words.hpp"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace maas::text {
namespace {

constexpr std::string_view kApostrophe = "\u2019";

// A word of the text, as names are compared with it.
struct TextWord {
  std::string folded;  // without a possessive "'s"
  std::size_t begin = 0;
  std::size_t end = 0;
  bool capitalized = false;
  bool possessive = false;
  bool joined = false;  // only spaces or what stands within names in front of it
  // Whose names it is a word of, ascending.
  const std::vector<std::size_t>* speakers = nullptr;
};

bool is_within_name(std::string_view gap) {
  return gap.find_first_not_of(" .-") == std::string_view::npos;
}

// The apostrophe behind the name at the end of `before`, as in "James' dog"; 0 if none is there.
std::size_t bare_possessive(std::string_view before, std::string_view rest) {
  if (before.empty() || ascii_lower(before.back()) != 's') return 0;
  const std::size_t size =
      rest.starts_with('\'') ? 1 : (rest.starts_with(kApostrophe) ? kApostrophe.size() : 0);
  // Otherwise it is a quotation mark that closes.
  return size > 0 && rest.substr(size).starts_with(' ') ? size : 0;
}

std::vector<TextWord> words_of(std::string_view text) {
  std::vector<TextWord> result;
  std::size_t last_end = 0;
  for (Word& word : words(text)) {
    TextWord& added = result.emplace_back();
    added.begin = static_cast<std::size_t>(word.written.data() - text.data());
    added.end = added.begin + word.written.size();
    added.capitalized = word.capitalized;
    added.joined = is_within_name(text.substr(last_end, added.begin - last_end));
    added.folded = std::move(word.folded);
    if (added.folded.ends_with("'s")) {
      added.folded.resize(added.folded.size() - 2);
      added.possessive = true;
    } else if (const std::size_t size =
                   bare_possessive(text.substr(0, added.end), text.substr(added.end))) {
      added.end += size;
      added.possessive = true;
    }
    last_end = added.end;
  }
  return result;
}

// A script whose words are found by dictionary, so that names in it are cut anywhere.
bool is_script_without_spaces(UChar32 code_point) {
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(code_point, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return false;
  }
}

// Whether a name is of such a script and long enough not to be a part of other words.
bool is_found_anywhere(std::string_view name) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < name.size(); ++characters) {
    if (is_ascii(name[at])) return false;
    UChar32 code_point = 0;
    U8_NEXT(name.data(), at, name.size(), code_point);
    if (u_isalpha(code_point) && !is_script_without_spaces(code_point)) return false;
  }
  return characters >= 2;
}

void append_everywhere(std::string_view text, std::string_view name, std::size_t speaker,
                       std::vector<Mention>& found) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string_view::npos;) {
    found.push_back({.begin = at, .end = at + name.size(), .speaker = speaker});
    at += name.size();
  }
}

class MentionFinder {
 public:
  MentionFinder(std::string_view text, std::span<const std::string> speakers)
      : text_words_(words_of(text)) {
    for (TextWord& word : text_words_) word.speakers = &owners_[word.folded];
    names_.resize(speakers.size());
    for (std::size_t speaker = 0; speaker < speakers.size(); ++speaker) {
      if (is_found_anywhere(speakers[speaker])) {
        append_everywhere(text, speakers[speaker], speaker, found_);
      } else {
        take_in(speaker, words(speakers[speaker]));
      }
    }
  }

  std::vector<Mention> find() && {
    for (std::size_t i = 0; i < text_words_.size();) {
      Run best;
      for (const std::size_t speaker : *text_words_[i].speakers) {
        const Run run = run_at(i, speaker);
        if (run.size > best.size || (run.size == best.size && run.full && !best.full)) best = run;
      }
      if (best.size == 0) {
        ++i;
        continue;
      }
      const TextWord& last = text_words_[i + best.size - 1];
      found_.push_back({.begin = text_words_[i].begin,
                        .end = last.end,
                        .speaker = best.speaker,
                        .possessive = last.possessive});
      i += best.size;
    }
    return without_overlaps();
  }

 private:
  // Words of one name side by side.
  struct Run {
    std::size_t size = 0;
    std::size_t speaker = 0;
    bool full = false;  // begins with the whole name
  };

  void take_in(std::size_t speaker, std::vector<Word> name) {
    bool in_text = false;
    for (const Word& word : name) {
      const auto owned = owners_.find(word.folded);
      if (owned == owners_.end()) continue;
      in_text = true;
      if (owned->second.empty() || owned->second.back() != speaker) {
        owned->second.push_back(speaker);
      }
    }
    if (in_text) names_[speaker] = std::move(name);
  }

  static bool is_capitalized_if_needed(const TextWord& word) {
    return word.capitalized || !is_word_and_name(word.folded);
  }

  // Whether the word alone names its speaker.
  static bool is_telling(const TextWord& word) {
    return word.speakers->size() == 1 && !is_title(word.folded) && !is_name_particle(word.folded) &&
           is_capitalized_if_needed(word);
  }

  bool stands_at(const std::vector<Word>& name, std::size_t at) const {
    if (name.empty() || name.size() > text_words_.size() - at) return false;
    bool capital = false;
    for (std::size_t k = 0; k < name.size(); ++k) {
      const TextWord& word = text_words_[at + k];
      if (word.folded != name[k].folded || (k > 0 && !word.joined)) return false;
      if (k + 1 < name.size() && word.possessive) return false;
      capital = capital || is_capitalized_if_needed(word);
    }
    return capital;
  }

  // Size 0 if the words from `at` on don't name the speaker.
  Run run_at(std::size_t at, std::size_t speaker) const {
    const std::vector<Word>& name = names_[speaker];
    Run run{.speaker = speaker, .full = stands_at(name, at)};
    bool names = run.full;
    // A name is said once: "Anna Anna" are two mentions.
    const std::size_t most = std::min(name.size(), text_words_.size() - at);
    while (run.size < most) {
      const TextWord& word = text_words_[at + run.size];
      if (run.size > 0 && !word.joined) break;
      if (!std::ranges::binary_search(*word.speakers, speaker)) break;
      names = names || is_telling(word);
      ++run.size;
      if (word.possessive) break;
    }
    if (!names) run.size = 0;
    return run;
  }

  std::vector<Mention> without_overlaps() {
    std::ranges::sort(found_, [](const Mention& a, const Mention& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
    std::size_t end = 0;
    std::erase_if(found_, [&](const Mention& mention) {
      if (mention.begin < end) return true;
      end = mention.end;
      return false;
    });
    return std::move(found_);
  }

  std::vector<TextWord> text_words_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> owners_;  // by word of the text
  std::vector<std::vector<Word>> names_;  // by speaker; empty where no word of it is in the text
  std::vector<Mention> found_;
};

}  // namespace

std::vector<Mention> find_mentions(std::string_view text, std::span<const std::string> speakers) {
  if (speakers.empty()) return {};
  return MentionFinder(text, speakers).find();
}

}  // namespace maas::text
