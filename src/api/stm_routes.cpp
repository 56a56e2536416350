#include "api/fields.hpp"
#include "api/json_parts.hpp"
#include "api/request_trace.hpp"
#include "api/routes.hpp"
#include "core/json_text.hpp"

namespace maas::api {
namespace {

using http::Request;
using http::Response;
using stm::ContextSettings;
using stm::SessionKey;
using stm::SessionSettings;
using stm::ShortTermMemory;
using stm::Strategy;

void append_message(std::string& out, const Message& message) {
  out += R"({"role":")";
  out += to_string(message.role);
  out += R"(","content":)";
  append_json(out, message.content);
  out += R"(,"metadata":)";
  out += message.metadata.empty() ? "null" : message.metadata;
  out += R"(,"id":")";
  out += message.id;
  out += R"(","timestamp":)";
  append_seconds(out, message.timestamp);
  out += R"(,"token_count":)";
  append_integer(out, message.token_count);
  out += '}';
}

std::string begin_reply(const SessionKey& session) {
  std::string out = R"({"session_id":)";
  append_json(out, session.session);
  return out;
}

void append_messages(std::string& out, const std::vector<Message>& messages) {
  constexpr std::size_t kFrame = 160;  // what a message takes beside its content and metadata
  std::size_t bytes = 64;
  for (const Message& message : messages) {
    bytes += kFrame + message.content.size() + message.metadata.size();
  }
  out.reserve(out.size() + bytes);
  out += R"(,"messages":[)";
  for (const Message& message : messages) {
    if (&message != &messages.front()) out += ',';
    append_message(out, message);
  }
  out += ']';
}

void append_optional(std::string& out, std::optional<std::int64_t> number) {
  if (number) {
    append_integer(out, *number);
  } else {
    out += "null";
  }
}

Response settings_reply(const SessionKey& session, const SessionSettings& settings) {
  std::string out = begin_reply(session);
  out += R"(,"config":{"strategy":)";
  if (settings.strategy) {
    append_json(out, to_string(*settings.strategy));
  } else {
    out += "null";
  }
  out += R"(,"max_messages":)";
  append_optional(out, settings.max_messages);
  out += R"(,"max_tokens":)";
  append_optional(out, settings.max_tokens);
  out += "}}";
  return {.body = std::move(out)};
}

SessionKey session_of(const Request& request, FieldErrors& errors) {
  SessionKey key{.tenant = request.principal,
                 .session = id_parameter(request, "session_id", errors)};
  tell_session(request, key.session);
  key.parent = span_of(request).parent();
  return key;
}

stm::NewMessage read_message(Fields& fields) {
  const auto role =
      fields.choice("role", role_from, {Role::user, Role::assistant, Role::system, Role::summary});
  return {.role = role.value_or(Role::user),
          .content = fields.string("content"),
          .metadata = fields.object_text("metadata")};
}

Task<Response> append_messages(ShortTermMemory& memory, const Request& request) {
  FieldErrors errors;
  const SessionKey session = session_of(request, errors);
  const auto body = parse_body(request);
  Fields fields(body, {"body"}, errors);
  auto messages = fields.list("messages", read_message);
  errors.check();
  const std::vector<Message> stored = co_await memory.append(session, std::move(messages));
  std::string out = begin_reply(session);
  out += R"(,"added":)";
  append_integer(out, static_cast<std::int64_t>(stored.size()));
  append_messages(out, stored);
  out += '}';
  co_return Response{.body = std::move(out)};
}

Task<Response> list_messages(ShortTermMemory& memory, const Request& request) {
  FieldErrors errors;
  const SessionKey session = session_of(request, errors);
  const auto limit = integer_parameter(request, "limit", errors);
  errors.check();
  const std::vector<Message> messages = co_await memory.messages(session, limit);
  std::string out = begin_reply(session);
  append_messages(out, messages);
  out += '}';
  co_return Response{.body = std::move(out)};
}

Task<Response> get_context(ShortTermMemory& memory, const Request& request) {
  FieldErrors errors;
  const SessionKey session = session_of(request, errors);
  const stm::ContextOverrides overrides{
      .max_messages = positive_integer_parameter(request, "max_messages", errors),
      .max_tokens = positive_integer_parameter(request, "max_tokens", errors)};
  errors.check();
  const stm::Context context = co_await memory.context(session, overrides);
  std::string out = begin_reply(session);
  append_messages(out, context.messages);
  out += R"(,"strategy":")";
  out += to_string(context.strategy);
  out += R"(","total_tokens":)";
  append_integer(out, context.total_tokens);
  out += R"(,"summarized":)";
  append_integer(out, static_cast<std::int64_t>(context.summarized));
  out += '}';
  co_return Response{.body = std::move(out)};
}

Task<Response> forget_session(ShortTermMemory& memory, const Request& request) {
  FieldErrors errors;
  const SessionKey session = session_of(request, errors);
  errors.check();
  co_await memory.forget(session);
  co_return Response{.body = begin_reply(session) + R"(,"deleted":true})"};
}

Task<Response> put_config(ShortTermMemory& memory, const Request& request) {
  FieldErrors errors;
  const SessionKey session = session_of(request, errors);
  const auto body = parse_body(request);
  Fields fields(body, {"body"}, errors);
  const stm::SettingsChange change{
      .strategy = fields.choice_or_null("strategy", stm::strategy_from,
                                        {Strategy::sliding_window, Strategy::token_threshold}),
      .max_messages = fields.positive_integer_or_null("max_messages"),
      .max_tokens = fields.positive_integer_or_null("max_tokens")};
  errors.check();
  co_return settings_reply(session, co_await memory.configure(session, change));
}

Task<Response> get_config(ShortTermMemory& memory, const Request& request) {
  FieldErrors errors;
  const SessionKey session = session_of(request, errors);
  errors.check();
  const ContextSettings settings = co_await memory.settings_in_force(session);
  co_return settings_reply(session, {.strategy = settings.strategy,
                                     .max_messages = settings.max_messages,
                                     .max_tokens = settings.max_tokens});
}

}  // namespace

void add_stm_routes(http::Router& router, ShortTermMemory& memory) {
  using http::Method;
  const auto route = [&](const char* operation, Method method, std::string pattern,
                         Task<Response> (*handler)(ShortTermMemory&, const Request&)) {
    router.add(method, std::move(pattern), [&memory, operation, handler](Request& request) {
      begin_operation(request, operation);
      return handler(memory, request);
    });
  };
  route("stm.append", Method::post, "/stm/{session_id}/messages", append_messages);
  route("stm.list", Method::get, "/stm/{session_id}/messages", list_messages);
  route("stm.context", Method::get, "/stm/{session_id}/context", get_context);
  route("stm.delete", Method::delete_, "/stm/{session_id}", forget_session);
  route("stm.configure", Method::put, "/stm/{session_id}/config", put_config);
  route("stm.settings", Method::get, "/stm/{session_id}/config", get_config);
}

}  // namespace maas::api
