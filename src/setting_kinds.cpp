#include "setting_kinds.hpp"

#include "core/trimmed.hpp"

#include <charconv>

namespace maas {

std::string range_text(std::int64_t smallest, std::int64_t largest) {
  if (largest == kNoLimit) return std::to_string(smallest) + " or more";
  return std::to_string(smallest) + " to " + std::to_string(largest);
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t smallest,
                                          std::int64_t largest) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < smallest || value > largest) return std::nullopt;
  return value;
}

Setting milliseconds(std::string name, Field<std::chrono::milliseconds> field,
                     std::string meaning) {
  constexpr std::int64_t kSmallest = 10;
  constexpr std::int64_t kLargest = 3'600'000;
  return {
      .name = std::move(name),
      .range = range_text(kSmallest, kLargest),
      .meaning = std::move(meaning) + ", in milliseconds",
      .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
        const auto value = parse_integer(text, kSmallest, kLargest);
        if (!value) {
          return "is not a whole number of milliseconds, " + range_text(kSmallest, kLargest);
        }
        field(config) = std::chrono::milliseconds(*value);
        return std::nullopt;
      },
      .show = [=](const Config& config) { return std::to_string(read(field, config).count()); }};
}

Setting number(std::string name, Field<double> field, int smallest, int largest,
               std::string meaning) {
  const std::string range = range_text(smallest, largest);
  return {.name = std::move(name),
          .range = range,
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            double value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc{} || end != text.data() + text.size() ||
                !(value >= smallest && value <= largest)) {
              return "is not a number, " + range;
            }
            field(config) = value;
            return std::nullopt;
          },
          .show =
              [=](const Config& config) {
                std::string text = std::to_string(read(field, config));
                text.erase(text.find_last_not_of('0') + 1);
                if (text.ends_with('.')) text.pop_back();
                return text;
              }};
}

Setting free_text(std::string name, Field<std::string> field, std::string meaning) {
  return {.name = std::move(name),
          .range = "text",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view value) -> std::optional<std::string> {
            field(config) = value;
            return std::nullopt;
          },
          .show = [=](const Config& config) { return read(field, config); }};
}

Setting secret(Setting setting) {
  setting.secret = true;
  return setting;
}

Setting yes_or_no(std::string name, Field<bool> field, std::string meaning) {
  return choice<bool>(std::move(name), field, {{"true", true}, {"false", false}},
                      std::move(meaning));
}

std::vector<std::string> list_items(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view item = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

Setting list(std::string name, Field<std::vector<std::string>> field, std::string meaning) {
  return {.name = std::move(name),
          .range = "comma-separated",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            field(config) = list_items(text);
            return std::nullopt;
          },
          .show =
              [=](const Config& config) {
                std::string joined;
                for (const std::string& item : read(field, config)) {
                  joined += (joined.empty() ? "" : ",") + item;
                }
                return joined;
              }};
}

Setting url(Setting setting) {
  setting.range = "URL";
  setting.show = [show = setting.show](const Config& config) {
    std::string shown = show(config);
    const std::size_t at = shown.rfind('@');
    const std::size_t user = shown.find("://");
    if (at != std::string::npos && user != std::string::npos && user < at) {
      shown.replace(user + 3, at - user - 3, "***");
    }
    return shown;
  };
  return setting;
}

}  // namespace maas
