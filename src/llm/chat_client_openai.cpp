#include "llm/chat_client_openai.hpp"

#include "core/error.hpp"
#include "http/url.hpp"
#include "llm/chat_protocol.hpp"
#include "llm/model_metrics.hpp"
#include "llm/model_spans.hpp"
#include "llm/upstream_errors.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

namespace maas::llm {
namespace {

constexpr std::string_view kAzure = "azure_openai";
constexpr std::size_t kMostQuirks = 3;  // that one call finds out

std::string base_of(const ChatOptions& options) {
  if (!options.base_url.empty()) return http::without_final_slash(options.base_url);
  if (options.provider == kAzure) return http::without_final_slash(options.azure_endpoint);
  const auto known = std::ranges::find(kChatProviders, options.provider, &ChatProvider::name);
  if (known == kChatProviders.end()) {
    throw Error(Errc::invalid_argument, "LLM_PROVIDER " + options.provider + " is not known");
  }
  return std::string(known->base);
}

std::string url_of(const ChatOptions& options) {
  const std::string base = base_of(options);
  if (options.provider != kAzure) return base + "/chat/completions";
  return base + "/openai/deployments/" + http::percent_encode(options.model) +
         "/chat/completions?api-version=" + http::percent_encode(options.api_version);
}

class OpenAiChatClient final : public ChatClient {
 public:
  OpenAiChatClient(http::Client& client, ChatOptions options)
      : client_(client),
        options_(std::move(options)),
        upstream_{.provider = options_.provider,
                  .model = options_.model,
                  .key = options_.key,
                  .key_setting = "LLM_API_KEY",
                  .model_setting = "LLM_MODEL"},
        url_(url_of(options_)) {}

  std::string_view provider() const override { return options_.provider; }
  std::string_view model() const override { return options_.model; }

  Task<Completion> complete(const ChatRequest& request) override {
    const CalledModel called{options_.provider, options_.model, url_};
    Call call{.span = begin_model_span(request.parent, "chat", called)};
    const ModelTimer timer("chat", called);
    Completion completion;
    std::exception_ptr failure;
    try {
      completion = co_await ask(request, call);
    } catch (...) {
      failure = std::current_exception();
    }
    tell_chat(call.span, request, parameters(), call.quirks);
    if (failure) {
      timer.failed(failure, call.status);
      tell_failure(call.span, failure, call.status);
      std::rethrow_exception(failure);
    }
    timer.succeeded(completion.prompt_tokens, completion.completion_tokens);
    tell_completion(call.span, completion);
    co_return completion;
  }

 private:
  // One call, tries with other parameters included.
  struct Call {
    trace::Span span = {};
    ChatQuirks quirks = {};  // that the last request kept to
    std::string body = {};   // of the last request
    unsigned status = 0;     // of the last reply; 0: none
  };

  ChatParameters parameters() const {
    return {.model = options_.model,
            .temperature = options_.temperature,
            .max_tokens = options_.max_tokens};
  }

  Task<Completion> ask(const ChatRequest& request, Call& call) {
    call.quirks = quirks();
    http::ClientReply reply = co_await send(request, call);
    for (std::size_t found = 0; reply.status == 400 && found < kMostQuirks; ++found) {
      const auto learned = quirk_in(reply.body, call.quirks, request);
      if (!learned) break;
      call.quirks = *learned;
      reply = co_await send(request, call);
      if (reply.status / 100 == 2) remember(call.quirks);
    }
    if (reply.status / 100 != 2) throw refused(upstream_, reply.status, reply.body, call.body);
    try {
      co_return completion_in(reply.body);
    } catch (const UnusableReply& reply_error) {
      throw unusable(upstream_, reply_error);
    }
  }

  Task<http::ClientReply> send(const ChatRequest& request, Call& call) {
    http::ClientRequest sent;
    sent.url = url_;
    sent.headers = call.span.headers();
    sent.headers.emplace_back("Content-Type", "application/json");
    if (!options_.key.empty()) {
      if (options_.provider == kAzure) {
        sent.headers.emplace_back("api-key", options_.key);
      } else {
        sent.headers.emplace_back("Authorization", "Bearer " + options_.key);
      }
    }
    sent.body = chat_body(request, parameters(), call.quirks);
    call.status = 0;
    http::ClientReply reply = co_await client_.send(sent);
    call.body = std::move(sent.body);
    call.status = reply.status;
    co_return reply;
  }

  // What made a call succeed is known from now on; calls beside it may have found out other things.
  void remember(const ChatQuirks& used) {
    const std::lock_guard lock(mutex_);
    quirks_.wants_completion_tokens |= used.wants_completion_tokens;
    quirks_.refuses_temperature |= used.refuses_temperature;
    quirks_.refuses_response_format |= used.refuses_response_format;
  }

  ChatQuirks quirks() {
    const std::lock_guard lock(mutex_);
    return quirks_;
  }

  http::Client& client_;
  ChatOptions options_;
  Upstream upstream_;
  std::string url_;
  std::mutex mutex_;
  ChatQuirks quirks_;  // of the model, as far as it is known
};

}  // namespace

std::unique_ptr<ChatClient> make_openai_chat_client(http::Client& client, ChatOptions options) {
  return std::make_unique<OpenAiChatClient>(client, std::move(options));
}

}  // namespace maas::llm
