#include "text/stop_words.hpp"

#include "text/language.hpp"
#include "text/stop_word_lists.hpp"

#include <algorithm>
#include <array>

namespace maas::text {
namespace {

constexpr auto kEnglishStopWords = std::to_array<std::string_view>({
    "a",         "about",      "above",     "after",    "again",    "against",   "ain",
    "ain't",     "all",        "also",      "am",       "an",       "and",       "any",
    "are",       "aren't",     "as",        "at",       "be",       "because",   "been",
    "before",    "being",      "below",     "between",  "both",     "but",       "by",
    "can",       "can't",      "could",     "couldn",   "couldn't", "d",         "did",
    "didn",      "didn't",     "do",        "does",     "doesn",    "doesn't",   "doing",
    "don't",     "down",       "during",    "e.g",      "each",     "either",    "else",
    "etc",       "ever",       "every",     "few",      "for",      "from",      "further",
    "get",       "gets",       "getting",   "go",       "goes",     "going",     "gonna",
    "got",       "had",        "hadn",      "hadn't",   "has",      "hasn",      "hasn't",
    "have",      "haven't",    "having",    "he",       "he'd",     "he'll",     "he's",
    "her",       "here",       "here's",    "hers",     "herself",  "him",       "himself",
    "his",       "how",        "how's",     "however",  "i",        "i'd",       "i'll",
    "i'm",       "i've",       "i.e",       "if",       "in",       "into",      "is",
    "isn",       "isn't",      "it",        "it'd",     "it'll",    "it's",      "its",
    "itself",    "just",       "let",       "let's",    "like",     "ll",        "lot",
    "m",         "made",       "make",      "many",     "may",      "maybe",     "me",
    "might",     "more",       "most",      "much",     "must",     "mustn",     "mustn't",
    "my",        "myself",     "needn",     "needn't",  "neither",  "no",        "nor",
    "not",       "of",         "off",       "on",       "once",     "one",       "only",
    "or",        "other",      "ought",     "our",      "ours",     "ourselves", "out",
    "over",      "own",        "per",       "quite",    "rather",   "re",        "really",
    "s",         "same",       "shall",     "she",      "she'd",    "she'll",    "she's",
    "should",    "shouldn",    "shouldn't", "since",    "so",       "some",      "somehow",
    "something", "still",      "such",      "t",        "than",     "that",      "that'd",
    "that'll",   "that's",     "the",       "their",    "theirs",   "them",      "themselves",
    "then",      "there",      "there's",   "these",    "they",     "they'd",    "they'll",
    "they're",   "they've",    "thing",     "things",   "this",     "those",     "though",
    "through",   "to",         "too",       "under",    "until",    "up",        "upon",
    "us",        "ve",         "very",      "via",      "was",      "wasn",      "wasn't",
    "we",        "we'd",       "we'll",     "we're",    "we've",    "were",      "weren",
    "weren't",   "what",       "what's",    "whatever", "when",     "when's",    "where",
    "where's",   "whether",    "which",     "while",    "who",      "who'd",     "who'll",
    "who's",     "whom",       "whose",     "why",      "why's",    "will",      "with",
    "within",    "without",    "won't",     "would",    "wouldn",   "wouldn't",  "yet",
    "you",       "you'd",      "you'll",    "you're",   "you've",   "your",      "yours",
    "yourself",  "yourselves",
});
static_assert(std::ranges::is_sorted(kEnglishStopWords));

}  // namespace

std::span<const std::string_view> stop_words(std::string_view language) {
  const auto name = language_named(language);
  if (name == kEnglish) return kEnglishStopWords;
  for (const StopWordList& list : foreign_stop_words()) {
    if (list.language == name) return list.words;
  }
  return {};
}

bool is_stop_word(std::string_view word, std::string_view language) {
  return std::ranges::binary_search(stop_words(language), word);
}

}  // namespace maas::text
