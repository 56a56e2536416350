#include "llm/remote_embedder.hpp"

#include "core/error.hpp"
#include "core/offload.hpp"
#include "llm/embedding_batches.hpp"
#include "llm/embedding_protocol.hpp"
#include "llm/model_metrics.hpp"
#include "llm/model_spans.hpp"
#include "llm/upstream_errors.hpp"
#include "trace/attributes.hpp"

#include <boost/asio/thread_pool.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>
#include <type_traits>
#include <utility>

namespace maas::llm {
namespace {

constexpr std::chrono::seconds kKnownFor{10};

// Bytes that take long enough to be worth another thread: some hundred microseconds and more.
constexpr std::size_t kLongTexts = 16 * 1024;
constexpr std::size_t kLongReply = 256 * 1024;

// Malformed, too large, unprocessable: the other refusals are about the key, the model or the time.
bool is_about_texts(unsigned status) { return status == 400 || status == 413 || status == 422; }

std::size_t bytes_of(const std::vector<std::string>& texts) {
  return std::transform_reduce(texts.begin(), texts.end(), std::size_t{0}, std::plus<>(),
                               [](const std::string& text) { return text.size(); });
}

class RemoteEmbedder final : public Embedder {
 public:
  RemoteEmbedder(http::Client& client, RemoteEmbedderOptions options)
      : client_(client),
        options_(std::move(options)),
        upstream_{.provider = options_.provider,
                  .model = options_.model,
                  .key = options_.key,
                  .key_setting = "EMBEDDING_API_KEY",
                  .model_setting = "EMBEDDING_MODEL"},
        space_(options_.provider + "/" + options_.model + "/" + std::to_string(options_.dims)),
        protocol_(make_embedding_protocol(options_)),
        batches_({.texts = protocol_->most_texts(),
                  .bytes = protocol_->most_bytes(),
                  .requests = options_.max_requests},
                 "Too many texts wait to be embedded by " + options_.provider +
                     "; try again later, or raise EMBEDDING_MAX_CONCURRENCY",
                 [this](std::vector<std::string> texts, TextKind kind, trace::Parent parent) {
                   return ask(std::move(texts), kind, std::move(parent));
                 }) {}

  std::string_view engine() const override { return options_.provider; }
  std::string_view model() const override { return space_; }
  std::size_t dims() const override { return options_.dims; }

  Task<std::vector<Vector>> embed(std::span<const std::string> texts, TextKind kind,
                                  trace::Parent parent) override {
    return batches_.embed(texts, kind, std::move(parent));
  }

  // A call costs money and time: what the last one said is all that is known, and only for a while,
  // for a server that is taken out of service because of it sees no further call.
  Task<std::optional<std::string>> problem() override {
    const std::lock_guard lock(mutex_);
    if (std::chrono::steady_clock::now() - failed_at_ > kKnownFor) problem_.reset();
    co_return problem_;
  }

 private:
  Task<std::vector<Vector>> ask(std::vector<std::string> texts, TextKind kind,
                                trace::Parent parent) {
    std::vector<Vector> vectors;
    try {
      vectors = co_await ask_traced(texts, kind, parent);
    } catch (const Error& error) {
      note(&error);
      throw;
    }
    note(nullptr);
    co_return vectors;
  }

  // One request, tries again included, and its span.
  struct Call {
    trace::Span span = {};
    std::optional<ModelTimer> timer = {};  // absent: it was not sent
    unsigned status = 0;                   // of the reply; 0: none
    std::string url = {};
    EmbeddingUsage usage = {};
  };

  Task<std::vector<Vector>> ask_traced(const std::vector<std::string>& texts, TextKind kind,
                                       const trace::Parent& parent) {
    Call call;
    std::vector<Vector> vectors;
    std::exception_ptr failure;
    try {
      vectors = co_await request(texts, kind, parent, call);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      if (call.timer) call.timer->failed(failure, call.status);
      tell_failure(call.span, failure, call.status);
      std::rethrow_exception(failure);
    }
    call.timer->succeeded(call.usage.tokens, 0);
    tell_usage(call.span, call.usage);
    co_return vectors;
  }

  Task<std::vector<Vector>> request(const std::vector<std::string>& texts, TextKind kind,
                                    const trace::Parent& parent, Call& call) {
    const auto made = [this, &texts, kind] { return protocol_->request(texts, kind); };
    http::ClientRequest request = co_await aside(bytes_of(texts) > kLongTexts, made);
    call.url = request.url;
    const CalledModel called{options_.provider, options_.model, call.url};
    call.span = begin_model_span(parent, "embeddings", called);
    call.timer.emplace("embeddings", called);
    tell_embeddings(call.span, texts, options_.dims);
    if (options_.provider == "openai" || options_.provider == "azure_openai") {
      constexpr std::array<std::string_view, 1> kFormats{"base64"};
      call.span.set(trace::attribute::kEncodingFormats, kFormats);
    }
    for (auto& header : call.span.headers()) request.headers.push_back(std::move(header));
    const http::ClientReply reply = co_await client_.send(request);
    call.status = reply.status;
    if (reply.status / 100 != 2) {
      const Error refusal = refused(upstream_, reply.status, reply.body, request.body);
      if (is_about_texts(reply.status)) throw RefusedTexts(refusal);
      throw refusal;
    }
    const auto read = [this, &reply, &texts] { return vectors_of(reply, texts.size()); };
    std::vector<Vector> vectors = co_await aside(reply.body.size() > kLongReply, read);
    const auto read_usage = [&reply] { return usage_in(reply.body); };
    call.usage = co_await aside(reply.body.size() > kLongReply, read_usage);
    co_return vectors;
  }

  // The result of `fn`, which may borrow; called on the thread for what takes long if it does.
  template <class F>
  Task<std::invoke_result_t<F&>> aside(bool is_long, F fn) {
    if (!is_long) co_return fn();
    co_return co_await offload(thread_, std::move(fn));
  }

  std::vector<Vector> vectors_of(const http::ClientReply& reply, std::size_t texts) const {
    try {
      std::vector<Vector> vectors = protocol_->vectors_in(reply.body);
      check_and_normalize(vectors, texts, options_.dims);
      return vectors;
    } catch (const UnusableReply& reply_error) {
      throw unusable(upstream_, reply_error);
    }
  }

  // A refusal may be about one text; that nobody answers concerns all.
  void note(const Error* failure) {
    const std::lock_guard lock(mutex_);
    problem_.reset();
    if (!failure || failure->code() == Errc::upstream_failed) return;
    problem_ = failure->what();
    failed_at_ = std::chrono::steady_clock::now();
  }

  http::Client& client_;
  RemoteEmbedderOptions options_;
  Upstream upstream_;
  std::string space_;
  std::unique_ptr<EmbeddingProtocol> protocol_;
  std::mutex mutex_;
  std::optional<std::string> problem_;  // of the last call
  std::chrono::steady_clock::time_point failed_at_;
  EmbeddingBatches batches_;
  boost::asio::thread_pool thread_{1};  // ends before all that its work uses
};

}  // namespace

std::unique_ptr<Embedder> make_remote_embedder(http::Client& client,
                                               RemoteEmbedderOptions options) {
  return std::make_unique<RemoteEmbedder>(client, std::move(options));
}

}  // namespace maas::llm
