#pragma once

#include "ltm/caller.hpp"
#include "trace/span.hpp"

struct _mongoc_client_pool_t;

namespace maas::ltm {

// Has the driver tell of every command that its connections send: each is a call of a database,
// with its span and its measurement.
void monitor_commands(_mongoc_client_pool_t* pool);

// The span below which this thread's commands are, for as long as it lives; the driver calls back
// on the thread that sends them. Without it they are measured alone.
class CommandsBelow {
 public:
  explicit CommandsBelow(const trace::Parent& parent);
  CommandsBelow(const CommandsBelow&) = delete;
  ~CommandsBelow();
};

// `fn`, for the thread that it will run on: its commands are below the caller's span. Borrows both.
template <class F>
auto below(const Caller& caller, F& fn) {
  return [&caller, &fn] {
    const CommandsBelow bound(caller.parent);
    return fn();
  };
}

}  // namespace maas::ltm
