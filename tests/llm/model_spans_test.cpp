#include "llm/model_spans.hpp"

#include "core/error.hpp"
#include "support/memory_recorder.hpp"
#include "trace/tracer.hpp"

#include <boost/asio/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace maas::llm {
namespace {

using trace::RecordedSpan;
using Texts = std::vector<std::string>;

class ModelSpans : public testing::Test {
 protected:
  // The span of a call as `tell` describes it, below a request's.
  template <class Tell>
  RecordedSpan told(bool captures, const CalledModel& called, Tell tell) {
    trace::TracerOptions options;
    options.spans.capture_content = captures;
    const trace::Tracer tracer(std::make_unique<trace::MemoryRecorder>(spans_), options);
    trace::Span request = tracer.begin_request("POST", std::nullopt);
    request.identify({.session = "s-7"});
    trace::Span span = begin_model_span(request.parent(), "chat", called);
    tell(span);
    return spans_.back();
  }
  static std::string text(const RecordedSpan& span, const std::string& name) {
    const auto found = span.attributes.find(name);
    return found == span.attributes.end() ? "" : std::get<std::string>(found->second);
  }
  static std::int64_t count(const RecordedSpan& span, const std::string& name) {
    const auto found = span.attributes.find(name);
    return found == span.attributes.end() ? -1 : std::get<std::int64_t>(found->second);
  }

  std::list<RecordedSpan> spans_;
  const CalledModel kCalled{"openai", "gpt", "https://api.openai.com/v1/chat/completions"};
};

TEST_F(ModelSpans, NameProvidersAsTheConventionsDo) {
  const std::pair<std::string_view, std::string> cases[] = {{"openai", "openai"},
                                                            {"azure_openai", "azure.ai.openai"},
                                                            {"grok", "x_ai"},
                                                            {"kimi", "moonshot_ai"},
                                                            {"ollama", "ollama"}};
  for (const auto& [provider, name] : cases) {
    const auto span = told(false, {provider, "m", "http://h:1"}, [](trace::Span&) {});
    EXPECT_EQ(text(span, "gen_ai.provider.name"), name);
  }
}

TEST_F(ModelSpans, AreOfAClientUnlessTheModelRunsHere) {
  const auto away = told(false, kCalled, [](trace::Span&) {});
  EXPECT_EQ(away.kind, trace::Kind::client);
  EXPECT_EQ(away.name, "chat gpt");
  EXPECT_EQ(text(away, "server.address"), "api.openai.com");
  EXPECT_EQ(count(away, "server.port"), 443);
  const auto here = told(false, {"local", "minilm"}, [](trace::Span&) {});
  EXPECT_EQ(here.kind, trace::Kind::internal);
  EXPECT_FALSE(here.attributes.contains("server.address"));
}

TEST_F(ModelSpans, TellWhatWasAskedOfAChat) {
  ChatRequest request{.messages = {{"user", "Hé"}}, .json = true, .purpose = "extract_facts"};
  const ChatParameters parameters{.model = "gpt", .temperature = .5, .max_tokens = 100};
  const auto tell = [&](trace::Span& span) { tell_chat(span, request, parameters, {}); };
  const RecordedSpan span = told(false, kCalled, tell);
  EXPECT_EQ(std::get<double>(span.attributes.at("gen_ai.request.temperature")), .5);
  EXPECT_EQ(count(span, "gen_ai.request.max_tokens"), 100);
  EXPECT_EQ(text(span, "gen_ai.output.type"), "json");
  EXPECT_EQ(text(span, "gen_ai.conversation.id"), "s-7");
  EXPECT_EQ(text(span, "openai.api.type"), "chat_completions");
  EXPECT_EQ(text(span, "langfuse.observation.metadata.purpose"), "extract_facts");
  EXPECT_FALSE(span.attributes.contains("gen_ai.input.messages"));
  EXPECT_EQ(boost::json::parse(text(told(true, kCalled, tell), "gen_ai.input.messages")),
            boost::json::parse(R"([{"role":"user","parts":[{"type":"text","content":"Hé"}]}])"));

  request = {.max_tokens = 7};
  const RecordedSpan other = told(false, kCalled, [&](trace::Span& each) {
    tell_chat(each, request, parameters, {.refuses_temperature = true});
  });
  EXPECT_EQ(count(other, "gen_ai.request.max_tokens"), 7);
  EXPECT_FALSE(other.attributes.contains("gen_ai.request.temperature"));
  EXPECT_FALSE(other.attributes.contains("gen_ai.output.type"));
}

TEST_F(ModelSpans, TellWhatAChatAnswered) {
  const Completion completion{.content = "Yes.",
                              .prompt_tokens = 612,
                              .completion_tokens = 31,
                              .cached_tokens = 512,
                              .reasoning_tokens = 9,
                              .id = "chatcmpl-1",
                              .model = "gpt-2025",
                              .finish_reason = "stop"};
  const auto tell = [&](trace::Span& span) { tell_completion(span, completion); };
  const RecordedSpan span = told(false, kCalled, tell);
  EXPECT_EQ(count(span, "gen_ai.usage.input_tokens"), 612);
  EXPECT_EQ(count(span, "gen_ai.usage.output_tokens"), 31);
  EXPECT_EQ(count(span, "gen_ai.usage.cache_read.input_tokens"), 512);
  EXPECT_EQ(count(span, "gen_ai.usage.reasoning.output_tokens"), 9);
  EXPECT_EQ(text(span, "gen_ai.response.id"), "chatcmpl-1");
  EXPECT_EQ(text(span, "gen_ai.response.model"), "gpt-2025");
  EXPECT_EQ(std::get<Texts>(span.attributes.at("gen_ai.response.finish_reasons")), Texts{"stop"});
  EXPECT_FALSE(span.attributes.contains("gen_ai.output.messages"));
  EXPECT_EQ(boost::json::parse(text(told(true, kCalled, tell), "gen_ai.output.messages")),
            boost::json::parse(R"([{"role":"assistant","finish_reason":"stop",
                                    "parts":[{"type":"text","content":"Yes."}]}])"));
}

TEST_F(ModelSpans, TellNothingThatTheProviderDidNot) {
  const RecordedSpan bare = told(false, kCalled, [](trace::Span&) {});
  const RecordedSpan span = told(false, kCalled, [](trace::Span& each) {
    tell_completion(each, {.content = "Yes."});
    tell_usage(each, {});
  });
  EXPECT_EQ(span.attributes, bare.attributes);
}

TEST_F(ModelSpans, TellTextsThatAreEmbeddedOnlyWhereTheyMay) {
  const Texts texts{"a", "b"};
  const auto tell = [&](trace::Span& span) { tell_embeddings(span, texts, 1536); };
  const RecordedSpan span = told(false, kCalled, tell);
  EXPECT_EQ(count(span, "gen_ai.embeddings.dimension.count"), 1536);
  EXPECT_FALSE(span.attributes.contains("langfuse.observation.input"));
  EXPECT_EQ(text(told(true, kCalled, tell), "langfuse.observation.input"), R"(["a","b"])");
}

TEST_F(ModelSpans, TellFailuresByKind) {
  struct Case {
    std::exception_ptr failure;
    unsigned status;
    std::string type;
    std::string description;
  };
  const auto thrown = [](Errc code) {
    return std::make_exception_ptr(Error(code, "what went wrong", "a detail"));
  };
  const Case cases[] = {
      {thrown(Errc::upstream_failed), 429, "429", "what went wrong"},
      {thrown(Errc::upstream_failed), 200, "_OTHER", "what went wrong"},
      {thrown(Errc::unavailable), 0, "_OTHER", "what went wrong"},
      {thrown(Errc::deadline_exceeded), 0, "timeout", "what went wrong"},
      {std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted)),
       0, "timeout", "The answer was no longer waited for"},
      {std::make_exception_ptr(std::bad_alloc()), 0, "_OTHER", ""},
  };
  for (const auto& [failure, status, type, description] : cases) {
    const RecordedSpan span =
        told(false, kCalled, [&](trace::Span& each) { tell_failure(each, failure, status); });
    EXPECT_EQ(text(span, "error.type"), type);
    EXPECT_EQ(span.failure, description);
  }
}

TEST(EmbeddingUsage, IsReadOfEveryProvidersReply) {
  struct Case {
    std::string_view reply;
    EmbeddingUsage usage;
  };
  const Case cases[] = {
      {R"({"model":"m","usage":{"prompt_tokens":9,"total_tokens":9}})", {"m", 9}},
      {R"({"model":"m","prompt_eval_count":7})", {"m", 7}},
      {R"({"meta":{"billed_units":{"input_tokens":5}}})", {"", 5}},
      {R"({"model":7,"usage":{"prompt_tokens":"9"}})", {}},
      {R"({"usage":[]})", {}},
      {R"([[0.1,0.2]])", {}},
      {"no JSON", {}},
  };
  for (const auto& [reply, usage] : cases) EXPECT_EQ(usage_in(reply), usage) << reply;
}

}  // namespace
}  // namespace maas::llm
