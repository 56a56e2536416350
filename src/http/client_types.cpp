#include "http/client_types.hpp"

#include "core/error.hpp"
#include "core/trimmed.hpp"
#include "http/url.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace maas::http {
std::string_view ClientReply::header(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon != line.npos && boost::beast::iequals(line.substr(0, colon), name)) {
      return trimmed(line.substr(colon + 1));
    }
  }
  return {};
}

std::vector<std::string> header_lines(const ClientRequest& request) {
  constexpr std::string_view kLineEnds("\r\n\0", 3);
  std::vector<std::string> lines;
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || name.find_first_of(kLineEnds) != name.npos ||
        name.find_first_of(": ;") != name.npos || value.find_first_of(kLineEnds) != value.npos) {
      throw Error(Errc::internal, "Internal Server Error",
                  "the header " + printable(name) + " for an upstream can't be sent");
    }
    lines.push_back(value.empty() ? name + ";" : name + ": " + value);
  }
  return lines;
}

}  // namespace maas::http
