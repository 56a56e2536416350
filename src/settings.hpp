#pragma once

#include "config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas {

// One line of the settings table, from which validation, --help and the README's table are made.
struct Setting {
  std::string name;   // of the environment variable
  std::string range;  // "1 to 65535", "full | normal", "text"
  std::string meaning;
  bool secret = false;   // never shown
  bool lenient = false;  // a wrong value is warned of and ignored
  // Puts a text into the configuration; an error is a clause such as "is not a number from 1 to 9".
  std::function<std::optional<std::string>(Config&, std::string_view)> set;
  std::function<std::string(const Config&)> show;
};

const std::vector<Setting>& settings();

// The table for --help, and in Markdown for the README.
std::string settings_help();
std::string settings_markdown();

// Every setting as NAME=value in the form of an env file, secrets masked.
std::string effective_settings(const Config& config);

// The known name that `name` most likely stands for; empty if none is near.
std::string nearest_setting(std::string_view name);

}  // namespace maas
