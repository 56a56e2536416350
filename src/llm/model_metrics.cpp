#include "llm/model_metrics.hpp"

#include "http/url.hpp"
#include "trace/metrics.hpp"

namespace maas::llm {

using std::chrono::steady_clock;

ModelTimer::ModelTimer(std::string_view operation, const CalledModel& called)
    : operation_(operation), called_(called), began_(steady_clock::now()) {
  const http::Authority authority = http::authority_of_url(called.url);
  host_ = authority.host;
  if (authority.port) port_ = std::to_string(*authority.port);
}

void ModelTimer::succeeded(std::int64_t input_tokens, std::int64_t output_tokens) const {
  record({});
  record_tokens("input", input_tokens);
  record_tokens("output", output_tokens);
}

void ModelTimer::failed(std::exception_ptr failure, unsigned status) const {
  record(failure_type(failure, status));
}

void ModelTimer::record(std::string_view error_type) const {
  trace::metrics().model_calls.record(
      std::chrono::duration<double>(steady_clock::now() - began_).count(),
      {operation_, conventional_name(called_.provider), called_.model, host_, port_, error_type});
}

void ModelTimer::record_tokens(std::string_view type, std::int64_t tokens) const {
  if (tokens <= 0) return;
  trace::metrics().model_tokens.record(
      static_cast<double>(tokens),
      {operation_, conventional_name(called_.provider), called_.model, host_, port_, type});
}

}  // namespace maas::llm
