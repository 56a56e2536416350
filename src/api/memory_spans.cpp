#include "api/memory_spans.hpp"

#include "core/error.hpp"
#include "trace/attributes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>

namespace maas::api {
namespace {

namespace attribute = trace::attribute;
namespace json = boost::json;

constexpr std::string_view kStore = "maas.memories";

json::object record_of(const Memory& memory) {
  return {{"id", memory.id}, {"content", memory.text}};
}

}  // namespace

trace::Span begin_memory_span(const http::Request& request, std::string_view operation) {
  trace::Span span = span_of(request).parent().begin(trace::Kind::internal, operation);
  if (!span) return span;
  span.set(attribute::kOperationName, operation);
  span.set(attribute::kMemoryStore, kStore);
  span.set(attribute::kObservationType, operation == "search_memory" ? "retriever" : "chain");
  return span;
}

trace::Span begin_item_span(const http::Request& request, std::string_view operation,
                            std::size_t index, const Scope& scope) {
  trace::Span span = begin_memory_span(request, operation);
  if (!span) return span;
  span.set(attribute::kItemIndex, index);
  span.identify({.user = scope.user_id, .session = scope.session_id, .agent = scope.agent_id});
  return span;
}

ltm::Caller caller_of(const http::Request& request, const trace::Span& span) {
  return {request.principal, span.parent()};
}

void tell_record(trace::Span& span, std::string_view id) { span.set(attribute::kMemoryRecord, id); }

void tell_count(trace::Span& span, std::size_t records) {
  span.set(attribute::kMemoryCount, records);
}

void tell_added(trace::Span& span, Category category, std::span<const ltm::Remembered> remembered) {
  if (!span) return;
  tell_count(span, remembered.size());
  span.set(attribute::kCategory, to_string(category));
  std::string events;
  json::array records;
  for (const ltm::Remembered& each : remembered) {
    events += events.empty() ? "" : ",";
    events += ltm::to_string(each.event);
    if (!span.captures_content()) continue;
    json::object record = record_of(*each.memory);
    record["metadata"] = json::object{{"event", ltm::to_string(each.event)}};
    records.push_back(std::move(record));
  }
  if (!events.empty()) span.set(attribute::kEvents, events);
  if (span.captures_content()) span.set(attribute::kMemoryRecords, json::serialize(records));
}

void tell_query(trace::Span& span, std::string_view query) {
  if (span.captures_content()) span.set(attribute::kMemoryQuery, query);
}

void tell_found(trace::Span& span, const ltm::Found& found) {
  if (!span) return;
  tell_count(span, found.hits.size());
  if (!span.captures_content()) return;
  json::array records;
  for (const ltm::SearchHit& hit : found.hits) {
    json::object record = record_of(*hit.memory);
    record["score"] = hit.score;
    records.push_back(std::move(record));
  }
  span.set(attribute::kMemoryRecords, json::serialize(records));
}

void tell_failure(trace::Span& span, std::exception_ptr failure) {
  if (!span) return;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    span.fail(to_string(error.code()), error.what());
  } catch (const std::exception&) {
    span.fail("_OTHER");
  }
}

}  // namespace maas::api
