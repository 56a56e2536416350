#pragma once

#include <optional>
#include <string_view>

namespace maas::text {

// The language a text is most probably written in, as Snowball names it ("english", "german"), by
// its script and its most frequent words. "english" when nothing tells. Thread-safe.
std::string_view detect_language(std::string_view text);

// The Snowball name of a language given as English name or ISO 639 code ("german", "de"); nullopt
// when there is no stemmer of that name.
std::optional<std::string_view> language_named(std::string_view name);

}  // namespace maas::text
