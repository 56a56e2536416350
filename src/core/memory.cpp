#include "core/memory.hpp"

namespace maas {

std::string_view to_string(Category category) {
  switch (category) {
    case Category::semantic:
      return "semantic";
    case Category::episodic:
      return "episodic";
    case Category::fact:
      return "fact";
    case Category::preference:
      return "preference";
  }
  return "semantic";
}

std::optional<Category> category_from(std::string_view name) {
  for (const Category category :
       {Category::semantic, Category::episodic, Category::fact, Category::preference}) {
    if (name == to_string(category)) return category;
  }
  return std::nullopt;
}

bool contains(const Scope& scope, const Scope& owner) {
  const auto allows = [](const std::string& wanted, const std::string& actual) {
    return wanted.empty() || wanted == actual;
  };
  return allows(scope.user_id, owner.user_id) && allows(scope.agent_id, owner.agent_id) &&
         allows(scope.session_id, owner.session_id);
}

}  // namespace maas
