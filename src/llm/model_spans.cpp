#include "llm/model_spans.hpp"

#include "core/error.hpp"
#include "http/url.hpp"
#include "trace/attributes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace maas::llm {
namespace {

namespace attribute = trace::attribute;
namespace json = boost::json;

json::object text_part(std::string_view text) { return {{"type", "text"}, {"content", text}}; }

std::string input_messages(const std::vector<ChatMessage>& messages) {
  json::array told;
  for (const ChatMessage& message : messages) {
    told.push_back(
        json::object{{"role", message.role}, {"parts", json::array{text_part(message.content)}}});
  }
  return json::serialize(told);
}

std::string output_messages(const Completion& completion) {
  json::object message{{"role", "assistant"},
                       {"parts", json::array{text_part(completion.content)}},
                       {"finish_reason", completion.finish_reason}};
  json::array messages;
  messages.push_back(std::move(message));
  return json::serialize(messages);
}

// What stands at the end of some names in an object.
const json::value* at(const json::value& value, std::initializer_list<std::string_view> names) {
  const json::value* found = &value;
  for (const std::string_view name : names) {
    found = found->is_object() ? found->get_object().if_contains(name) : nullptr;
    if (!found) return nullptr;
  }
  return found;
}

std::string description(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.what();
  } catch (const boost::system::system_error&) {
    return "The answer was no longer waited for";
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

std::string_view conventional_name(std::string_view provider) {
  using Pair = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Pair, 3> kNames{
      {{"azure_openai", "azure.ai.openai"}, {"grok", "x_ai"}, {"kimi", "moonshot_ai"}}};
  const auto found = std::ranges::find(kNames, provider, &Pair::first);
  return found == kNames.end() ? provider : found->second;
}

std::string failure_type(std::exception_ptr failure, unsigned status) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.code() == Errc::deadline_exceeded) return "timeout";
    return status >= 400 ? std::to_string(status) : "_OTHER";
  } catch (const boost::system::system_error&) {
    return "timeout";  // nobody waits for it any more
  } catch (const std::exception&) {
    return "_OTHER";
  }
}

trace::Span begin_model_span(const trace::Parent& parent, std::string_view operation,
                             const CalledModel& called) {
  if (!parent) return {};
  const auto kind = called.url.empty() ? trace::Kind::internal : trace::Kind::client;
  trace::Span span = parent.begin(kind, std::string(operation) + " " + std::string(called.model));
  if (!span) return span;
  span.set(attribute::kOperationName, operation);
  span.set(attribute::kProviderName, conventional_name(called.provider));
  span.set(attribute::kRequestModel, called.model);
  const http::Authority authority = http::authority_of_url(called.url);
  if (!authority.host.empty()) {
    span.set(attribute::kServerAddress, authority.host);
    if (authority.port) span.set(attribute::kServerPort, *authority.port);
  }
  return span;
}

void tell_chat(trace::Span& span, const ChatRequest& request, const ChatParameters& parameters,
               const ChatQuirks& quirks) {
  if (!span) return;
  if (!quirks.refuses_temperature) span.set(attribute::kTemperature, parameters.temperature);
  span.set(attribute::kMaxTokens,
           request.max_tokens > 0 ? request.max_tokens : parameters.max_tokens);
  if (request.json) span.set(attribute::kOutputType, "json");
  if (!span.session().empty()) span.set(attribute::kConversationId, span.session());
  span.set(attribute::kOpenAiApiType, "chat_completions");
  if (!request.purpose.empty()) span.set(attribute::kPurpose, request.purpose);
  if (span.captures_content())
    span.set(attribute::kInputMessages, input_messages(request.messages));
}

void tell_completion(trace::Span& span, const Completion& completion) {
  if (!span) return;
  const auto set_text = [&span](std::string_view name, const std::string& text) {
    if (!text.empty()) span.set(name, text);
  };
  const auto set_count = [&span](std::string_view name, std::int64_t count) {
    if (count > 0) span.set(name, count);
  };
  set_text(attribute::kResponseModel, completion.model);
  set_text(attribute::kResponseId, completion.id);
  if (!completion.finish_reason.empty()) {
    const std::array<std::string_view, 1> reasons{completion.finish_reason};
    span.set(attribute::kFinishReasons, reasons);
  }
  set_count(attribute::kInputTokens, completion.prompt_tokens);
  set_count(attribute::kOutputTokens, completion.completion_tokens);
  set_count(attribute::kCacheReadTokens, completion.cached_tokens);
  set_count(attribute::kReasoningTokens, completion.reasoning_tokens);
  if (span.captures_content()) span.set(attribute::kOutputMessages, output_messages(completion));
}

void tell_embeddings(trace::Span& span, std::span<const std::string> texts, std::size_t dims) {
  if (!span) return;
  span.set(attribute::kDimensionCount, dims);
  if (!span.captures_content()) return;
  json::array told;
  for (const std::string& text : texts) told.emplace_back(text);
  span.set(attribute::kInput, json::serialize(told));
}

EmbeddingUsage usage_in(std::string_view reply) {
  EmbeddingUsage usage;
  boost::system::error_code error;
  const json::value parsed = json::parse(reply, error);
  if (error) return usage;
  const json::value* model = at(parsed, {"model"});
  if (model && model->is_string()) usage.model = model->get_string();
  for (const json::value* tokens : {at(parsed, {"usage", "prompt_tokens"}),  // OpenAI
                                    at(parsed, {"prompt_eval_count"}),       // Ollama
                                    at(parsed, {"meta", "billed_units", "input_tokens"})}) {
    if (tokens && tokens->is_int64()) usage.tokens = tokens->get_int64();
  }
  return usage;
}

void tell_usage(trace::Span& span, const EmbeddingUsage& usage) {
  if (!usage.model.empty()) span.set(attribute::kResponseModel, usage.model);
  if (usage.tokens > 0) span.set(attribute::kInputTokens, usage.tokens);
}

void tell_failure(trace::Span& span, std::exception_ptr failure, unsigned status) {
  if (!span) return;
  span.fail(failure_type(failure, status), description(failure));
}

}  // namespace maas::llm
