// Used by text/ alone: how it asks ICU where units of text end.
#pragma once

#include <unicode/brkiter.h>

#include <string_view>

namespace maas::text {

// Throws Error{internal} if `status` is a failure of ICU, which valid text can't cause.
void check_icu(UErrorCode status, const char* what);

// Break iterators at the beginning of `text`, each one per thread: opening one costs hundreds of
// microseconds. It is the caller's until the thread asks for the same kind again. Positions are
// bytes; going forward from the beginning takes time linear in the text.
icu::BreakIterator& character_breaks(std::string_view text);
icu::BreakIterator& word_breaks(std::string_view text);
icu::BreakIterator& sentence_breaks(std::string_view text);

}  // namespace maas::text
