#pragma once

#include "core/error.hpp"
#include "core/task.hpp"
#include "trace/span.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace maas::trace {

// A failure that the database has a code for, such as "WRONGTYPE".
class DatabaseError : public Error {
 public:
  DatabaseError(std::string code, Error error)
      : Error(std::move(error)), database_code_(std::move(code)) {}

  const std::string& database_code() const { return database_code_; }

 private:
  std::string database_code_;
};

// What a database is asked. Borrows its texts, which outlive the call.
struct Statement {
  std::string_view system;           // "redis"
  std::string_view operation;        // "ZRANGE"
  std::string_view collection = {};  // "memories"
  std::string_view space = {};       // the database's name or number
  std::string_view host = {};        // empty: it runs in this process
  std::uint16_t port = 0;            // 0: its usual one
};

// One call of a database: a span below its parent, named after what is done ("INSERT memories"),
// and a point of db.client.operation.duration, until it is destroyed. Never told of keys, values or
// texts of users.
class DatabaseCall {
 public:
  DatabaseCall(const Parent& parent, const Statement& statement);
  DatabaseCall(const DatabaseCall&) = delete;
  ~DatabaseCall();

  void returned(std::size_t rows);
  // How many of the same were done at once; one is no batch.
  void batched(std::size_t operations);
  void fail(std::exception_ptr failure);
  // `code` is the database's own, or "timeout", "_OTHER".
  void fail(std::string_view code, std::string_view description);

  Span& span() { return span_; }

 private:
  Statement statement_;
  Span span_;
  std::string error_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// What `task` returns, observed as a call; `tell(call, result)` tells what came of it.
template <class T, class Tell>
Task<T> observed(Parent parent, Statement statement, Task<T> task, Tell tell) {
  DatabaseCall call(parent, statement);
  std::optional<T> result;
  std::exception_ptr failure;
  try {
    result.emplace(co_await std::move(task));
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    call.fail(failure);
    std::rethrow_exception(failure);
  }
  tell(call, *result);
  co_return *std::move(result);
}

}  // namespace maas::trace
