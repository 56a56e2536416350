#include "trace/database_call.hpp"

#include "trace/attributes.hpp"
#include "trace/metrics.hpp"

namespace maas::trace {
namespace {

// As OpenTelemetry's conventions for databases have it.
Span begin_span(const Parent& parent, const Statement& statement) {
  if (!parent) return {};
  std::string name(statement.operation);
  if (!statement.collection.empty()) (name += ' ') += statement.collection;
  Span span = parent.begin(statement.host.empty() ? Kind::internal : Kind::client, name);
  if (!span) return span;
  const auto set_if = [&span](std::string_view attribute, std::string_view value) {
    if (!value.empty()) span.set(attribute, value);
  };
  span.set(attribute::kDatabaseSystem, statement.system);
  span.set(attribute::kDatabaseOperation, statement.operation);
  set_if(attribute::kDatabaseCollection, statement.collection);
  set_if(attribute::kDatabaseName, statement.space);
  set_if(attribute::kServerAddress, statement.host);
  if (statement.port != 0) span.set(attribute::kServerPort, statement.port);
  return span;
}

}  // namespace

DatabaseCall::DatabaseCall(const Parent& parent, const Statement& statement)
    : statement_(statement), span_(begin_span(parent, statement)) {}

DatabaseCall::~DatabaseCall() {
  metrics().database_calls.record(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count(),
      {statement_.system, statement_.operation, statement_.collection, error_});
}

void DatabaseCall::returned(std::size_t rows) { span_.set(attribute::kReturnedRows, rows); }

void DatabaseCall::batched(std::size_t operations) {
  if (operations > 1) span_.set(attribute::kDatabaseBatch, operations);
}

void DatabaseCall::fail(std::string_view code, std::string_view description) {
  error_ = code;
  if (!span_) return;
  if (code != "timeout" && code != "_OTHER") span_.set(attribute::kDatabaseStatus, code);
  span_.fail(code, description);
}

void DatabaseCall::fail(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const DatabaseError& error) {
    fail(error.database_code(), error.what());
  } catch (const Error& error) {
    fail(error.code() == Errc::deadline_exceeded ? "timeout" : "_OTHER", error.what());
  } catch (const std::exception&) {
    fail("_OTHER", {});
  }
}

}  // namespace maas::trace
