#include "trace/resource.hpp"

#include "core/ids.hpp"
#include "trace/attributes.hpp"

#include <charconv>
#include <unistd.h>

namespace maas::trace {

namespace {

constexpr std::string_view kProcessId = "process.pid";

}  // namespace

KeyValues process_resource(const KeyValues& told) {
  static const std::string instance = make_id();
  KeyValues resource = told;
  resource.emplace_back("service.version", MAAS_VERSION);
  resource.emplace_back("service.instance.id", instance);
  resource.emplace_back(std::string(kProcessId), std::to_string(::getpid()));
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0) resource.emplace_back("host.name", host);
  return resource;
}

bool is_number(std::string_view name) {
  return name == kProcessId || name == attribute::kHttpStatus || name == attribute::kServerPort;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace maas::trace
