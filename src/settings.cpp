#include "settings.hpp"

#include <algorithm>
#include <numeric>

namespace maas {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string shown_default(const Setting& setting) {
  static const Config kDefaults;
  // The machine's cores would make the table differ from machine to machine.
  if (setting.name == "MAAS_WORKERS" || setting.name == "EMBEDDING_THREADS") return "cores";
  return setting.show(kDefaults);
}

}  // namespace

std::string settings_help() {
  std::string help = "Settings (environment variables, or lines of the env file):\n";
  for (const Setting& setting : settings()) {
    const std::string value = shown_default(setting);
    help += "  " + setting.name + "  [" + setting.range +
            (value.empty() ? "" : "; default " + value) + "]\n      " + setting.meaning + "\n";
  }
  return help;
}

std::string settings_markdown() {
  const auto cell = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, "\\");
    return text;
  };
  std::string table = "| name | default | range | meaning |\n|---|---|---|---|\n";
  for (const Setting& setting : settings()) {
    const std::string value = shown_default(setting);
    table += "| `" + setting.name + "` | " + (value.empty() ? "" : "`" + value + "`") + " | " +
             cell(setting.range) + " | " + cell(setting.meaning) + " |\n";
  }
  return table;
}

std::string effective_settings(const Config& config) {
  std::string lines;
  for (const Setting& setting : settings()) {
    const std::string value = setting.show(config);
    lines += setting.name + "=" + (setting.secret && !value.empty() ? "***" : value) + "\n";
  }
  return lines;
}

std::string nearest_setting(std::string_view name) {
  constexpr std::size_t kFarthest = 4;
  std::string nearest;
  std::size_t least = kFarthest + 1;
  for (const Setting& setting : settings()) {
    const std::size_t distance = edit_distance(name, setting.name);
    if (distance >= least) continue;
    least = distance;
    nearest = setting.name;
  }
  return nearest;
}

}  // namespace maas
