#pragma once

#include "core/error.hpp"
#include "llm/chat_client.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace maas::test {

// Answers what it is told to, and keeps what it was asked. Not for several threads at once.
class ScriptedChatClient final : public llm::ChatClient {
 public:
  std::string_view provider() const override { return "scripted"; }
  std::string_view model() const override { return "scripted-1"; }

  Task<llm::Completion> complete(const llm::ChatRequest& request) override {
    requests.push_back(request);
    if (error) throw *error;
    llm::Completion completion{.content = next(request), .cut = cut};
    co_return completion;
  }

  std::deque<std::string> answers;  // given first, one after the other
  std::function<std::string(const llm::ChatRequest&)> answer_with;  // asked when none is left
  std::optional<Error> error;                                       // of every call while set
  bool cut = false;
  std::vector<llm::ChatRequest> requests;

 private:
  std::string next(const llm::ChatRequest& request) {
    if (answers.empty()) return answer_with ? answer_with(request) : std::string();
    std::string answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
};

}  // namespace maas::test
