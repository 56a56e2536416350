#include "llm/chat_protocol.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <initializer_list>

namespace maas::llm {
namespace {

namespace json = boost::json;

// What a text says, or several parts of content; empty: nothing.
std::string text_of(const json::value& content) {
  if (content.is_string()) return std::string(content.get_string());
  std::string text;
  if (!content.is_array()) return text;
  for (const json::value& part : content.get_array()) {
    const json::object* fields = part.if_object();
    const json::value* said = fields ? fields->if_contains("text") : nullptr;
    if (said && said->is_string()) text += std::string_view(said->get_string());
  }
  return text;
}

// The number at the end of some names below "usage"; 0: there is none.
std::int64_t count_in(const json::object& reply, std::initializer_list<std::string_view> names) {
  const json::value* count = reply.if_contains("usage");
  for (const std::string_view name : names) {
    count = count && count->is_object() ? count->get_object().if_contains(name) : nullptr;
  }
  return count && count->is_int64() ? count->get_int64() : 0;
}

std::string string_in(const json::object& fields, std::string_view name) {
  const json::value* text = fields.if_contains(name);
  return text && text->is_string() ? std::string(text->get_string()) : std::string();
}

const json::object& first_choice(const json::object& reply) {
  const json::value* choices = reply.if_contains("choices");
  if (!choices || !choices->is_array() || choices->get_array().empty() ||
      !choices->get_array().front().is_object()) {
    throw UnusableReply("has no choices");
  }
  return choices->get_array().front().get_object();
}

}  // namespace

std::string chat_body(const ChatRequest& request, const ChatParameters& parameters,
                      const ChatQuirks& quirks) {
  json::array messages;
  for (const ChatMessage& message : request.messages) {
    messages.push_back(json::object{{"role", message.role}, {"content", message.content}});
  }
  json::object body{{"model", parameters.model}, {"messages", std::move(messages)}};
  if (!quirks.refuses_temperature) body["temperature"] = parameters.temperature;
  const std::int64_t most = request.max_tokens > 0 ? request.max_tokens : parameters.max_tokens;
  body[quirks.wants_completion_tokens ? "max_completion_tokens" : "max_tokens"] = most;
  if (request.json && !quirks.refuses_response_format) {
    body["response_format"] = json::object{{"type", "json_object"}};
  }
  return json::serialize(body);
}

std::optional<ChatQuirks> quirk_in(std::string_view reply, const ChatQuirks& known,
                                   const ChatRequest& request) {
  const auto names = [reply](std::string_view parameter) {
    return reply.find(parameter) != reply.npos;
  };
  ChatQuirks quirks = known;
  // A complaint of one parameter may mention another: the one that it is about comes first here.
  if (!known.wants_completion_tokens && names("max_tokens")) {
    quirks.wants_completion_tokens = true;
  } else if (!known.refuses_temperature && names("temperature")) {
    quirks.refuses_temperature = true;
  } else if (request.json && !known.refuses_response_format &&
             (names("response_format") || names("json_object"))) {
    quirks.refuses_response_format = true;
  } else {
    return std::nullopt;
  }
  return quirks;
}

Completion completion_in(std::string_view reply) {
  boost::system::error_code error;
  const json::value parsed = json::parse(reply, error);
  if (error || !parsed.is_object()) throw UnusableReply("is no JSON object");
  const json::object& fields = parsed.get_object();
  const json::object& choice = first_choice(fields);
  const json::value* message = choice.if_contains("message");
  const json::value* content =
      message && message->is_object() ? message->get_object().if_contains("content") : nullptr;
  Completion completion;
  completion.content = content ? text_of(*content) : std::string();
  completion.finish_reason = string_in(choice, "finish_reason");
  completion.cut = completion.finish_reason == "length";
  completion.id = string_in(fields, "id");
  completion.model = string_in(fields, "model");
  completion.prompt_tokens = count_in(fields, {"prompt_tokens"});
  completion.completion_tokens = count_in(fields, {"completion_tokens"});
  completion.cached_tokens = count_in(fields, {"prompt_tokens_details", "cached_tokens"});
  completion.reasoning_tokens = count_in(fields, {"completion_tokens_details", "reasoning_tokens"});
  if (completion.content.empty()) {
    throw UnusableReply(completion.cut ? "has no text within its limit of tokens (LLM_MAX_TOKENS)"
                                       : "has no text");
  }
  return completion;
}

}  // namespace maas::llm
