#include "core/message.hpp"

namespace maas {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::user:
      return "user";
    case Role::assistant:
      return "assistant";
    case Role::system:
      return "system";
    case Role::summary:
      return "summary";
  }
  return "user";
}

std::optional<Role> role_from(std::string_view name) {
  for (const Role role : {Role::user, Role::assistant, Role::system, Role::summary}) {
    if (name == to_string(role)) return role;
  }
  return std::nullopt;
}

}  // namespace maas
