#include "trace/resource.hpp"

#include "core/ids.hpp"

#include <unistd.h>

namespace maas::trace {

KeyValues process_resource(const KeyValues& told) {
  static const std::string instance = make_id();
  KeyValues resource = told;
  resource.emplace_back("service.version", MAAS_VERSION);
  resource.emplace_back("service.instance.id", instance);
  resource.emplace_back("process.pid", std::to_string(::getpid()));
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0) resource.emplace_back("host.name", host);
  return resource;
}

}  // namespace maas::trace
