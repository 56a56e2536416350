#pragma once

#include "core/error.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace maas::llm {

// Who was asked, and what to look at when it refuses.
struct Upstream {
  std::string provider = {};  // "openai"
  std::string model = {};
  std::string key = {};            // to be kept out of every text
  std::string key_setting = {};    // "LLM_API_KEY"
  std::string model_setting = {};  // "LLM_MODEL"
};

// The error for a reply whose status is no success. Its message names provider, model and status
// and says what to do; its detail has the beginning of what the provider said, without what that
// repeats of the request's body.
Error refused(const Upstream& upstream, unsigned status, std::string_view reply,
              std::string_view request);

// A reply of success that can't be used; what() is a clause: "has no vectors".
class UnusableReply : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The error for it.
Error unusable(const Upstream& upstream, const UnusableReply& reply);

}  // namespace maas::llm
