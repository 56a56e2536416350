#include "text/split_pattern.hpp"

#include <cstddef>
#include <string_view>

namespace maas::text {
namespace {

// tiktoken's patterns (tiktoken_ext/openai_public.py), but for `\z`, as its `$` is the end of the
// text only, and for brackets round all classes, which lets them be widened.
constexpr std::string_view kCl100kBase = R"('(?i:[sdmt]|ll|ve|re)|)"
                                         R"([^\r\n\p{L}\p{N}]?+[\p{L}]++|)"
                                         R"([\p{N}]{1,3}+|)"
                                         R"( ?[^\s\p{L}\p{N}]++[\r\n]*+|)"
                                         R"([\s]++\z|)"
                                         R"([\s]*[\r\n]|)"
                                         R"([\s]+(?![^\s])|)"
                                         R"([\s])";
constexpr std::string_view kO200kBase =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([\p{N}]{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|)"
    R"([\s]*[\r\n]+|)"
    R"([\s]+(?![^\s])|)"
    R"([\s]+)";

// tiktoken's classes are those of Unicode 16; PCRE2 10.42 knows Unicode 14. These are the letters,
// marks and numbers that came between. A newer PCRE2 has them twice, which changes nothing.
constexpr std::string_view kNewUpper =
    R"(\x{1C89}\x{A7CB}\x{A7CC}\x{A7DA}\x{A7DC}\x{10D50}-\x{10D65})";
constexpr std::string_view kNewLower =
    R"(\x{1C8A}\x{A7CD}\x{A7DB}\x{10D70}-\x{10D85}\x{1DF25}-\x{1DF2A})";
constexpr std::string_view kNewOtherLetters =
    R"(\x{105C0}-\x{105F3}\x{10D4A}-\x{10D4F}\x{10D6F}\x{10EC2}-\x{10EC4}\x{1123F}\x{11240})"
    R"(\x{11380}-\x{11389}\x{1138B}\x{1138E}\x{11390}-\x{113B5}\x{113B7}\x{113D1}\x{113D3})"
    R"(\x{11BC0}-\x{11BE0}\x{11F02}\x{11F04}-\x{11F10}\x{11F12}-\x{11F33}\x{1342F})"
    R"(\x{13441}-\x{13446}\x{13460}-\x{143FA}\x{16100}-\x{1611D}\x{16D40}-\x{16D6C}\x{18CFF})"
    R"(\x{1B132}\x{1B155}\x{1E030}-\x{1E06D}\x{1E4D0}-\x{1E4EB}\x{1E5D0}-\x{1E5ED}\x{1E5F0})"
    R"(\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";
constexpr std::string_view kNewMarks =
    R"(\x{897}\x{CF3}\x{ECE}\x{10D69}-\x{10D6D}\x{10EFC}-\x{10EFF}\x{11241}\x{113B8}-\x{113C0})"
    R"(\x{113C2}\x{113C5}\x{113C7}-\x{113CA}\x{113CC}-\x{113D0}\x{113D2}\x{113E1}\x{113E2})"
    R"(\x{11F00}\x{11F01}\x{11F03}\x{11F34}-\x{11F3A}\x{11F3E}-\x{11F42}\x{11F5A}\x{13440})"
    R"(\x{13447}-\x{13455}\x{1611E}-\x{1612F}\x{1E08F}\x{1E4EC}-\x{1E4EF}\x{1E5EE}\x{1E5EF})";
constexpr std::string_view kNewNumbers =
    R"(\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9}\x{11F50}-\x{11F59})"
    R"(\x{16130}-\x{16139}\x{16D70}-\x{16D79}\x{1CCF0}-\x{1CCF9}\x{1D2C0}-\x{1D2D3})"
    R"(\x{1E4F0}-\x{1E4F9}\x{1E5F1}-\x{1E5FA})";

// Unicode's White_Space. PCRE2's \s has U+180E too, which is none since Unicode 6.3.
constexpr std::string_view kSpaces =
    R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

void replace_all(std::string& pattern, std::string_view what, const std::string& with) {
  for (std::size_t at = 0; (at = pattern.find(what, at)) != std::string::npos; at += with.size()) {
    pattern.replace(at, what.size(), with);
  }
}

void widen(std::string& pattern, std::string_view characters, std::string_view more) {
  replace_all(pattern, characters, std::string(characters).append(more));
}

}  // namespace

std::string split_pattern(Encoding encoding) {
  std::string pattern(encoding == Encoding::o200k_base ? kO200kBase : kCl100kBase);
  for (const auto letters : {kNewUpper, kNewLower, kNewOtherLetters}) {
    widen(pattern, R"(\p{L})", letters);
  }
  widen(pattern, R"(\p{Lu})", kNewUpper);
  widen(pattern, R"(\p{Ll})", kNewLower);
  widen(pattern, R"(\p{Lo})", kNewOtherLetters);
  widen(pattern, R"(\p{M})", kNewMarks);
  widen(pattern, R"(\p{N})", kNewNumbers);
  replace_all(pattern, R"(\s)", std::string(kSpaces));
  return pattern;
}

}  // namespace maas::text
