#pragma once

#include "api/request_trace.hpp"
#include "core/task.hpp"
#include "http/types.hpp"
#include "ltm/long_term_memory.hpp"
#include "trace/span.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

// The spans of what is done with memories, below that of the request.
namespace maas::api {

// `operation` is one of OpenTelemetry's for memories, such as "upsert_memory", and the span's name.
trace::Span begin_memory_span(const http::Request& request, std::string_view operation);
// That of an item of a batch: the n-th of its list.
trace::Span begin_item_span(const http::Request& request, std::string_view operation,
                            std::size_t index, const Scope& scope);

// For whom a request asks, below its span.
ltm::Caller caller_of(const http::Request& request, const trace::Span& span);

void tell_record(trace::Span& span, std::string_view id);
void tell_count(trace::Span& span, std::size_t records);
void tell_added(trace::Span& span, Category category, std::span<const ltm::Remembered> remembered);
void tell_query(trace::Span& span, std::string_view query);
void tell_found(trace::Span& span, const ltm::Found& found);
void tell_failure(trace::Span& span, std::exception_ptr failure);

// What the task returns; what it throws is told on the span.
template <class T>
Task<T> observed(trace::Span& span, Task<T> task) {
  std::optional<T> result;
  std::exception_ptr failure;
  try {
    result.emplace(co_await std::move(task));
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    tell_failure(span, failure);
    std::rethrow_exception(failure);
  }
  co_return *std::move(result);
}

inline Task<> observed(trace::Span& span, Task<> task) {
  std::exception_ptr failure;
  try {
    co_await std::move(task);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    tell_failure(span, failure);
    std::rethrow_exception(failure);
  }
}

}  // namespace maas::api
