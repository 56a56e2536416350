#pragma once

#include "core/error.hpp"
#include "llm/chat_client.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace maas::llm {

// The first JSON object in what a model says, which may be fenced, wrapped in prose or preceded by
// <think>…</think>; nullopt: there is none that is whole. Takes time in proportion to the answer.
std::optional<boost::json::object> object_in(std::string_view answer);

// What was read of an object, or what is wrong with it, in words for the model.
template <class T>
using ReadAnswer = std::function<std::variant<T, std::string>(const boost::json::object&)>;

// The request to be sent after an answer that could not be used.
ChatRequest repair_of(ChatRequest request, const Completion& answer, const std::string& problem);
// What is thrown when the second answer is no better.
Error unusable_answer(const ChatClient& client, const std::string& problem);
// What is wrong with an answer that holds no object.
std::string no_object_in(const Completion& answer);

// Asks for a JSON object of which `read` makes something. An answer that it can't use is shown to
// the model once, with what is wrong. Throws what the client throws, and Error{upstream_failed}
// when the second answer can't be used either.
template <class T>
Task<T> ask_for_json(ChatClient& client, ChatRequest request, ReadAnswer<T> read) {
  request.json = true;
  std::string problem;
  for (int attempt = 1; attempt <= 2; ++attempt) {
    const Completion answer = co_await client.complete(request);
    if (const auto object = object_in(answer.content)) {
      std::variant<T, std::string> readout = read(*object);
      if (T* value = std::get_if<0>(&readout)) co_return std::move(*value);
      problem = std::get<1>(readout);
    } else {
      problem = no_object_in(answer);
    }
    request = repair_of(std::move(request), answer, problem);
  }
  throw unusable_answer(client, problem);
}

}  // namespace maas::llm
