#include "text/token_counter.hpp"

#include "text/tokenizer.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace maas::text {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// "o1", "o3-mini", "o4-mini-2025-04-16".
bool is_of_o_series(std::string_view name) {
  if (!name.starts_with('o')) return false;
  const auto behind_number = std::find_if_not(name.begin() + 1, name.end(), is_digit);
  return behind_number > name.begin() + 1 &&
         (behind_number == name.end() || !is_lower(*behind_number));
}

}  // namespace

Encoding encoding_of_model(std::string_view model) {
  std::string name(model.substr(model.rfind('/') + 1));  // npos + 1 is 0
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (name.starts_with("ft:")) name.erase(0, 3);
  // gpt-oss has o200k_base with more special tokens, which are not counted as such here.
  constexpr auto kO200k = std::to_array<std::string_view>(
      {"gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-oss"});
  const bool is_o200k =
      is_of_o_series(name) || std::ranges::any_of(kO200k, [&](std::string_view prefix) {
        return name.starts_with(prefix);
      });
  return is_o200k ? Encoding::o200k_base : Encoding::cl100k_base;
}

std::int64_t count_tokens(std::string_view text, Encoding encoding) {
  return tokenizer_of(encoding).count(text);
}

}  // namespace maas::text
