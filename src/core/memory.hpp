#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace maas {

enum class Category { semantic, episodic, fact, preference };

std::string_view to_string(Category category);
std::optional<Category> category_from(std::string_view name);

// Whose memories: those of a user, an agent, a session, or what several of them share. An empty id
// is not given; at least one is.
struct Scope {
  std::string user_id = {};
  std::string agent_id = {};
  std::string session_id = {};

  bool operator==(const Scope&) const = default;
};

// Whether a memory of `owner` lies in `scope`: every id that `scope` gives is the owner's.
bool contains(const Scope& scope, const Scope& owner);

// One long-term memory. Values are never changed in place: a new version is another object.
struct Memory {
  std::string id = {};  // UUIDv7, made by the service
  Scope scope = {};
  Category category = Category::semantic;
  std::string text = {};      // valid UTF-8, may hold NUL
  std::string metadata = {};  // the text of a JSON object, the caller's keys alone; empty: none
  std::string speaker = {};   // who said it, where the caller told; empty: not told
  Timestamp created_at{};     // when it was said, if the caller told, else when it was stored
  Timestamp updated_at{};
  std::optional<Timestamp> expires_at = {};  // invisible from then on
  std::int64_t version = 1;                  // rises with every change
  std::int64_t sequence = 0;                 // order of arrival in the engine; rises, has gaps
};

using MemoryPtr = std::shared_ptr<const Memory>;

inline bool expired(const Memory& memory, Timestamp now) {
  return memory.expires_at && *memory.expires_at <= now;
}

}  // namespace maas
