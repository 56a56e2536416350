#include "api/json_parts.hpp"
#include "api/ltm_batch.hpp"
#include "api/ltm_fields.hpp"
#include "api/memory_json.hpp"
#include "api/memory_spans.hpp"
#include "api/request_trace.hpp"
#include "api/routes.hpp"
#include "core/json_text.hpp"

namespace maas::api {
namespace {

using http::Request;
using http::Response;
using ltm::LongTermMemory;

Task<Response> add_memory(LongTermMemory& memory, const LtmLimits& limits, const Request& request) {
  FieldErrors errors;
  const auto body = parse_body(request);
  ltm::AddRequest add = read_add(body, limits, errors);
  errors.check();
  tell_scope(request, add.scope);
  trace::Span span = begin_memory_span(request, "upsert_memory");
  add.parent = span.parent();
  const Category category = add.category;
  auto task = memory.add(request.principal, std::move(add));
  const auto remembered = co_await observed(span, std::move(task));
  tell_added(span, category, remembered);
  Response response;
  append_remembered(response.body, remembered);
  co_return response;
}

ltm::SearchRequest search_of(const Request& request, const LtmLimits& limits) {
  FieldErrors errors;
  const auto body = parse_body(request);
  ltm::SearchRequest search = read_search(body, limits, errors);
  errors.check();
  return search;
}

Task<Response> find_memories(LongTermMemory& memory, const LtmLimits& limits,
                             const Request& request) {
  ltm::SearchRequest search = search_of(request, limits);
  tell_scope(request, search.scope);
  trace::Span span = begin_memory_span(request, "search_memory");
  tell_query(span, search.query.text);
  search.parent = span.parent();
  const ltm::Found found = co_await observed(span, memory.search(request.principal, search));
  tell_found(span, found);
  Response response;
  append_found(response.body, found, search.query.explain);
  co_return response;
}

Task<Response> find_nothing() { co_return Response{.body = R"({"results":[]})"}; }

// A request without a body looks for nothing.
Task<Response> search_memories(LongTermMemory& memory, const LtmLimits& limits,
                               const Request& request) {
  return request.body.empty() ? find_nothing() : find_memories(memory, limits, request);
}

Task<Response> list_memories(LongTermMemory& memory, const LtmLimits& limits,
                             const Request& request) {
  FieldErrors errors;
  const Scope scope = scope_parameters(request, errors);
  ltm::ListQuery query = list_parameters(request, limits, errors);
  errors.check();
  tell_scope(request, scope);
  trace::Span span = begin_memory_span(request, "search_memory");
  auto task = memory.list(caller_of(request, span), scope, std::move(query));
  const ltm::Page page = co_await observed(span, std::move(task));
  tell_count(span, page.memories.size());
  Response response;
  append_page(response.body, page);
  co_return response;
}

Task<Response> get_memory(LongTermMemory& memory, const LtmLimits&, const Request& request) {
  FieldErrors errors;
  const std::string id = id_parameter(request, "id", errors);
  errors.check();
  trace::Span span = begin_memory_span(request, "get_memory");
  tell_record(span, id);
  const MemoryPtr found = co_await observed(span, memory.get(caller_of(request, span), id));
  Response response;
  append_memory(response.body, *found);
  co_return response;
}

Task<Response> update_memory(LongTermMemory& memory, const LtmLimits&, const Request& request) {
  FieldErrors errors;
  std::string id = id_parameter(request, "id", errors);
  const auto body = parse_body(request);
  ltm::UpdateRequest update = read_update(std::move(id), body, errors);
  errors.check();
  trace::Span span = begin_memory_span(request, "update_memory");
  tell_record(span, update.id);
  update.parent = span.parent();
  auto task = memory.update(request.principal, std::move(update));
  const MemoryPtr updated = co_await observed(span, std::move(task));
  Response response;
  append_memory(response.body, *updated);
  co_return response;
}

Task<Response> delete_memory(LongTermMemory& memory, const LtmLimits&, const Request& request) {
  FieldErrors errors;
  const std::string id = id_parameter(request, "id", errors);
  errors.check();
  trace::Span span = begin_memory_span(request, "delete_memory");
  tell_record(span, id);
  co_await observed(span, memory.forget(caller_of(request, span), id));
  Response response;
  append_deleted(response.body, id);
  co_return response;
}

Task<Response> delete_scope(LongTermMemory& memory, const LtmLimits&, const Request& request) {
  FieldErrors errors;
  const Scope scope = scope_parameters(request, errors);
  errors.check();
  tell_scope(request, scope);
  trace::Span span = begin_memory_span(request, "delete_memory");
  const std::size_t deleted =
      co_await observed(span, memory.forget_scope(caller_of(request, span), scope));
  tell_count(span, deleted);
  Response response{.body = R"({"deleted":)"};
  append_integer(response.body, static_cast<std::int64_t>(deleted));
  response.body += '}';
  co_return response;
}

Task<Response> delete_expired(LongTermMemory& memory, const LtmLimits&, const Request& request) {
  trace::Span span = begin_memory_span(request, "delete_memory");
  const std::vector<std::string> ids =
      co_await observed(span, memory.forget_expired(caller_of(request, span)));
  tell_count(span, ids.size());
  Response response{.body = R"({"deleted":)"};
  append_integer(response.body, static_cast<std::int64_t>(ids.size()));
  response.body += R"(,"ids":[)";
  for (const std::string& id : ids) {
    if (&id != &ids.front()) response.body += ',';
    append_json(response.body, id);
  }
  response.body += "]}";
  co_return response;
}

Task<Response> get_history(LongTermMemory& memory, const LtmLimits&, const Request& request) {
  FieldErrors errors;
  const std::string id = id_parameter(request, "id", errors);
  errors.check();
  trace::Span span = begin_memory_span(request, "memory_history");
  tell_record(span, id);
  const auto entries = co_await observed(span, memory.history(caller_of(request, span), id));
  tell_count(span, entries.size());
  Response response;
  append_history(response.body, entries);
  co_return response;
}

}  // namespace

void add_ltm_routes(http::Router& router, LongTermMemory& memory, LtmLimits limits) {
  using http::Method;
  const auto route = [&](const char* operation, Method method, std::string pattern,
                         Task<Response> (*handler)(LongTermMemory&, const LtmLimits&,
                                                   const Request&)) {
    router.add(method, std::move(pattern), [&memory, limits, operation, handler](Request& request) {
      begin_operation(request, operation);
      return handler(memory, limits, request);
    });
  };
  route("ltm.add", Method::post, "/ltm/memories", add_memory);
  route("ltm.list", Method::get, "/ltm/memories", list_memories);
  route("ltm.delete_all", Method::delete_, "/ltm/memories", delete_scope);
  route("ltm.batch_add", Method::post, "/ltm/memories/batch/add", add_batch);
  route("ltm.batch_search", Method::post, "/ltm/memories/batch/search", search_batch);
  route("ltm.batch_delete", Method::post, "/ltm/memories/batch/delete", delete_batch);
  // The router takes the first pattern that matches: these names before any id.
  route("ltm.search", Method::post, "/ltm/memories/search", search_memories);
  route("ltm.delete_expired", Method::delete_, "/ltm/memories/expired", delete_expired);
  route("ltm.get", Method::get, "/ltm/memories/{id}", get_memory);
  route("ltm.update", Method::put, "/ltm/memories/{id}", update_memory);
  route("ltm.delete", Method::delete_, "/ltm/memories/{id}", delete_memory);
  route("ltm.history", Method::get, "/ltm/memories/{id}/history", get_history);
}

}  // namespace maas::api
