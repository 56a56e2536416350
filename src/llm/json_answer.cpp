#include "llm/json_answer.hpp"

#include <boost/json/stream_parser.hpp>

#include <algorithm>

namespace maas::llm {
namespace {

constexpr std::size_t kMaxDepth = 32;
// Beginnings of objects that turn out to be none cost at most so many passes over the answer.
constexpr std::size_t kMostPasses = 4;
constexpr std::size_t kShownAgain = 4000;  // bytes of a bad answer

// What comes after the model's thoughts.
std::string_view without_thoughts(std::string_view answer) {
  constexpr std::string_view kBegin = "<think>";
  constexpr std::string_view kEnd = "</think>";
  const std::size_t begin = answer.find_first_not_of(" \t\r\n");
  if (begin == answer.npos || !answer.substr(begin).starts_with(kBegin)) return answer;
  const std::size_t end = answer.find(kEnd, begin);
  return end == answer.npos ? std::string_view() : answer.substr(end + kEnd.size());
}

std::string_view beginning_of(std::string_view text) {
  std::size_t end = std::min(text.size(), kShownAgain);
  while (end < text.size() && end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::optional<boost::json::object> object_in(std::string_view answer) {
  answer = without_thoughts(answer);
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  std::size_t budget = kMostPasses * answer.size();
  boost::json::stream_parser parser({}, options);
  for (std::size_t at = answer.find('{'); at != answer.npos; at = answer.find('{', at + 1)) {
    parser.reset();
    boost::system::error_code error;
    const std::size_t read = parser.write_some(answer.data() + at, answer.size() - at, error);
    if (!error && parser.done()) return parser.release().as_object();
    if (read >= budget) break;
    budget -= read;
  }
  return std::nullopt;
}

std::string no_object_in(const Completion& answer) {
  if (answer.cut) return "it was cut at its limit of tokens; be shorter";
  return "there is no whole JSON object in it";
}

ChatRequest repair_of(ChatRequest request, const Completion& answer, const std::string& problem) {
  request.messages.push_back({"assistant", std::string(beginning_of(answer.content))});
  request.messages.push_back({"user", "That answer can't be used: " + problem +
                                          ". Answer again, with the JSON object alone."});
  return request;
}

Error unusable_answer(const ChatClient& client, const std::string& problem) {
  return {Errc::upstream_failed,
          std::string(client.provider()) + ", model " + std::string(client.model()) +
              ", gave no answer that can be used, in two tries",
          problem};
}

}  // namespace maas::llm
