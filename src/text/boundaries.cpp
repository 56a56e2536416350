#include "text/boundaries.hpp"

#include "core/error.hpp"

#include <unicode/filteredbrk.h>
#include <unicode/utext.h>

#include <cstdint>
#include <memory>
#include <string>

namespace maas::text {
namespace {

using Breaks = std::unique_ptr<icu::BreakIterator>;

Breaks open_sentence_breaks() {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::FilteredBreakIteratorBuilder> builder(
      icu::FilteredBreakIteratorBuilder::createInstance(icu::Locale::getEnglish(), status));
  Breaks plain(icu::BreakIterator::createSentenceInstance(icu::Locale::getEnglish(), status));
  check_icu(status, "sentence boundaries");
  // CLDR leaves these out since they can also end a sentence; in front of a name they rarely do.
  for (const char16_t* title : {u"Dr.", u"St.", u"Prof.", u"Gen.", u"Rev.", u"approx."}) {
    builder->suppressBreakAfter(title, status);
  }
  Breaks filtered(builder->wrapIteratorWithFilter(plain.release(), status));
  check_icu(status, "abbreviations");
  return filtered;
}

template <class Create>
Breaks open_breaks(Create create) {
  UErrorCode status = U_ZERO_ERROR;
  Breaks breaks(create(icu::Locale::getRoot(), status));
  check_icu(status, "boundaries");
  return breaks;
}

icu::BreakIterator& on_text(icu::BreakIterator& breaks, std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  UText utf8 = UTEXT_INITIALIZER;
  // A view of nothing may hold a null pointer, which ICU refuses.
  utext_openUTF8(&utf8, text.empty() ? "" : text.data(), static_cast<std::int64_t>(text.size()),
                 &status);
  breaks.setText(&utf8, status);  // copies the handle, not the text
  utext_close(&utf8);
  check_icu(status, "UTF-8");
  return breaks;
}

}  // namespace

void check_icu(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) {
    throw Error(Errc::internal, "Text analysis failed",
                std::string("ICU, ") + what + ": " + u_errorName(status));
  }
}

icu::BreakIterator& character_breaks(std::string_view text) {
  thread_local const Breaks breaks = open_breaks(icu::BreakIterator::createCharacterInstance);
  return on_text(*breaks, text);
}

icu::BreakIterator& word_breaks(std::string_view text) {
  thread_local const Breaks breaks = open_breaks(icu::BreakIterator::createWordInstance);
  return on_text(*breaks, text);
}

icu::BreakIterator& sentence_breaks(std::string_view text) {
  thread_local const Breaks breaks = open_sentence_breaks();
  return on_text(*breaks, text);
}

}  // namespace maas::text
