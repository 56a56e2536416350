#pragma once

#include "llm/model_spans.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace maas::llm {

// Measures a call of a model from its making on. Borrows what it is told.
class ModelTimer {
 public:
  // As begin_model_span().
  ModelTimer(std::string_view operation, const CalledModel& called);

  // Tokens as the provider counts them; 0: it does not say.
  void succeeded(std::int64_t input_tokens, std::int64_t output_tokens) const;
  void failed(std::exception_ptr failure, unsigned status) const;

 private:
  void record(std::string_view error_type) const;
  void record_tokens(std::string_view type, std::int64_t tokens) const;

  std::string_view operation_;
  CalledModel called_;
  std::string host_;
  std::string port_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace maas::llm
