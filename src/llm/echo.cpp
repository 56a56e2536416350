#include "llm/echo.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <unordered_map>
#include <vector>

namespace maas::llm {
namespace {

namespace json = boost::json;

constexpr std::size_t kRun = 8;  // bytes

// Escaped as requests of ours are, however the provider does it.
std::string in_our_form(std::string_view said) {
  boost::system::error_code error;
  const json::value parsed = json::parse(said, error);
  return error ? std::string(said) : json::serialize(parsed);
}

void append_texts(std::string& texts, const json::value& value) {
  if (value.is_string()) {
    (texts += value.get_string()) += '\n';
  } else if (value.is_array()) {
    for (const json::value& each : value.get_array()) append_texts(texts, each);
  } else if (value.is_object()) {
    for (const auto& [key, each] : value.get_object()) append_texts(texts, each);
  }
}

// What a request says, without the names of its fields; all of it if it is no JSON.
std::string texts_of(std::string_view sent) {
  boost::system::error_code error;
  const json::value parsed = json::parse(sent, error);
  if (error) return std::string(sent);
  std::string texts;
  append_texts(texts, parsed);
  return texts;
}

}  // namespace

std::string without_echo(std::string_view said, std::string_view request) {
  const std::string text = in_our_form(said);
  const std::string sent = texts_of(request);
  if (text.size() < kRun) return text;
  std::unordered_multimap<std::string_view, std::size_t> runs;  // and where they begin
  for (std::size_t i = 0; i + kRun <= text.size(); ++i) {
    runs.emplace(std::string_view(text).substr(i, kRun), i);
  }
  std::vector<bool> repeated(text.size(), false);
  for (std::size_t i = 0; i + kRun <= sent.size(); ++i) {
    const auto [first, last] = runs.equal_range(std::string_view(sent).substr(i, kRun));
    for (auto run = first; run != last; ++run) {
      for (std::size_t n = 0; n < kRun; ++n) repeated[run->second + n] = true;
    }
  }
  // No part of a character stays.
  for (std::size_t i = 1; i < text.size(); ++i) {
    if ((text[i] & 0xc0) == 0x80 && repeated[i - 1]) repeated[i] = true;
  }
  std::string kept;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!repeated[i]) {
      kept += text[i];
    } else if (i == 0 || !repeated[i - 1]) {
      kept += "…";
    }
  }
  return kept;
}

}  // namespace maas::llm
