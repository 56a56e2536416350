#include "ltm/scope_key.hpp"

namespace maas::ltm {

std::string scope_key(std::string_view tenant, const Scope& scope) {
  std::string key;
  for (const std::string_view part :
       {tenant, std::string_view(scope.user_id), std::string_view(scope.agent_id),
        std::string_view(scope.session_id)}) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  }
  return key;
}

}  // namespace maas::ltm
