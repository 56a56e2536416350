#pragma once

#include "stm/message_store.hpp"

#include <memory>

namespace maas::stm {

// A store in this process whose calls have spans and are measured. The embedded engine has no
// driver that would tell of them.
std::unique_ptr<MessageStore> observe(std::unique_ptr<MessageStore> store);

}  // namespace maas::stm
