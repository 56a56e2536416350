#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maas {

// Who said a message; `summary` stands for messages that a summary has replaced.
enum class Role { user, assistant, system, summary };

std::string_view to_string(Role role);
std::optional<Role> role_from(std::string_view name);

// One message of a session.
struct Message {
  std::string id;         // UUIDv7, made by the service
  Timestamp timestamp{};  // rises strictly inside a session
  Role role = Role::user;
  std::string content;           // valid UTF-8, may hold NUL
  std::string metadata;          // the text of a JSON object; empty: none
  std::int64_t token_count = 0;  // of `content`, in the encoding of the session's model
};

}  // namespace maas
