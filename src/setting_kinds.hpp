#pragma once

#include "settings.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The kinds of lines of the settings table: each reads, checks and shows a field of one type.
namespace maas {

inline constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

// A reference to the field of a Config that a setting is about.
template <class T>
using Field = T& (*)(Config&);

// Getters below only read, so the same accessor serves a const configuration.
template <class T>
const T& read(Field<T> field, const Config& config) {
  return field(const_cast<Config&>(config));
}

std::string range_text(std::int64_t smallest, std::int64_t largest);
// A whole number within the range; nullopt: it is none.
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t smallest,
                                          std::int64_t largest);

Setting free_text(std::string name, Field<std::string> field, std::string meaning);
Setting milliseconds(std::string name, Field<std::chrono::milliseconds> field, std::string meaning);
Setting number(std::string name, Field<double> field, int smallest, int largest,
               std::string meaning);
// What stands between commas, without blanks around it; empty items are left out.
std::vector<std::string> list_items(std::string_view text);

// Items between commas.
Setting list(std::string name, Field<std::vector<std::string>> field, std::string meaning);
Setting yes_or_no(std::string name, Field<bool> field, std::string meaning);

// Never shown.
Setting secret(Setting setting);
// May hold a password: shown without what stands before the '@'.
Setting url(Setting setting);

template <class T>
Setting integer(std::string name, Field<T> field, std::int64_t smallest, std::int64_t largest,
                std::string meaning) {
  const std::string range = range_text(smallest, largest);
  return {.name = std::move(name),
          .range = range,
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            const auto value = parse_integer(text, smallest, largest);
            if (!value) return "is not a whole number, " + range;
            field(config) = static_cast<T>(*value);
            return std::nullopt;
          },
          .show = [=](const Config& config) { return std::to_string(read(field, config)); }};
}

// One of a few words.
template <class T>
Setting choice(std::string name, Field<T> field, std::vector<std::pair<std::string, T>> words,
               std::string meaning) {
  std::string range;
  for (const auto& [word, value] : words) range += (range.empty() ? "" : " | ") + word;
  return {.name = std::move(name),
          .range = range,
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            for (const auto& [word, value] : words) {
              if (word != text) continue;
              field(config) = value;
              return std::nullopt;
            }
            return "is not one of " + range;
          },
          .show =
              [=](const Config& config) {
                for (const auto& [word, value] : words) {
                  if (value == read(field, config)) return word;
                }
                return std::string();
              }};
}

}  // namespace maas
