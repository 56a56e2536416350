#include "text/name_words.hpp"

#include "text/ascii_words.hpp"
#include "text/stop_words.hpp"

#include <algorithm>
#include <array>

namespace maas::text {
namespace {

constexpr auto kTitles = std::to_array<std::string_view>(
    {"aunt",   "auntie",    "captain", "coach",    "doctor", "don",     "dr",     "father",
     "fr",     "frau",      "granny",  "herr",     "ii",     "iii",     "iv",     "jr",
     "judge",  "junior",    "lady",    "lord",     "madam",  "madame",  "miss",   "mister",
     "mme",    "monsieur",  "mr",      "mrs",      "ms",     "mx",      "pastor", "president",
     "prof",   "professor", "rev",     "reverend", "saint",  "senator", "senior", "señor",
     "señora", "sir",       "sister",  "sr",       "st",     "uncle"});

constexpr auto kParticles = std::to_array<std::string_view>({
    "abu", "al",  "bin", "da",  "das", "de",  "del", "della", "den", "der", "di",  "dos", "du",
    "el",  "ibn", "la",  "las", "le",  "los", "of",  "ter",   "the", "van", "von", "y",   "zu",
});

constexpr auto kWordsAndNames = std::to_array<std::string_view>(
    {"ace",      "agent",  "amber",     "angel",   "april",  "art",     "assistant", "august",
     "autumn",   "baker",  "banks",     "basil",   "bay",    "bill",    "bishop",    "black",
     "blue",     "bob",    "bot",       "brook",   "brooks", "brown",   "buck",      "bud",
     "buddy",    "bush",   "butler",    "candy",   "carol",  "chance",  "charity",   "chase",
     "cherry",   "chip",   "christian", "chuck",   "clay",   "cliff",   "cook",      "crystal",
     "customer", "daisy",  "dale",      "dash",    "dawn",   "day",     "dean",      "destiny",
     "dick",     "dolly",  "drew",      "duke",    "earl",   "eve",     "faith",     "fern",
     "field",    "fields", "fisher",    "ford",    "forest", "forrest", "fox",       "frank",
     "gene",     "ginger", "glen",      "grace",   "grant",  "gray",    "green",     "guy",
     "hall",     "happy",  "harmony",   "hazel",   "heath",  "heather", "hill",      "holly",
     "honey",    "hope",   "hunter",    "iris",    "ivy",    "jack",    "jade",      "jasmine",
     "jay",      "jewel",  "joy",       "jude",    "june",   "king",    "lance",     "lane",
     "laurel",   "lily",   "long",      "love",    "major",  "mark",    "mason",     "max",
     "may",      "melody", "mercy",     "mike",    "miles",  "miller",  "miner",     "moon",
     "nick",     "norm",   "ocean",     "olive",   "opal",   "page",    "park",      "pat",
     "patience", "pearl",  "peg",       "penny",   "pierce", "piper",   "poppy",     "porter",
     "price",    "prince", "queen",     "rain",    "ray",    "read",    "reed",      "rich",
     "river",    "rivers", "rob",       "robin",   "rock",   "rocky",   "rod",       "rose",
     "rosemary", "ruby",   "rush",      "rusty",   "sage",   "sandy",   "scarlet",   "scout",
     "short",    "skip",   "sky",       "speaker", "star",   "stone",   "storm",     "sue",
     "summer",   "sunny",  "swift",     "system",  "terry",  "trinity", "turner",    "unity",
     "user",     "van",    "victor",    "violet",  "wade",   "walker",  "ward",      "warren",
     "watch",    "waters", "wells",     "west",    "white",  "wood",    "woods",     "young"});

static_assert(std::ranges::is_sorted(kTitles));
static_assert(std::ranges::is_sorted(kParticles));
static_assert(std::ranges::is_sorted(kWordsAndNames));

}  // namespace

bool is_title(std::string_view word) { return std::ranges::binary_search(kTitles, word); }

bool is_name_particle(std::string_view word) {
  return std::ranges::binary_search(kParticles, word);
}

bool is_word_and_name(std::string_view word) {
  return (word.size() == 1 && is_ascii(word[0])) || is_stop_word(word) ||
         std::ranges::binary_search(kWordsAndNames, word);
}

}  // namespace maas::text
