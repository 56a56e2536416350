#pragma once
#include "core/error.hpp"
#include "llm/chat_client.hpp"
#include <boost/json/parse.hpp>
#include <functional>
#include <string>
#include <variant>
namespace maas::llm {
template <class T>
Task<T> ask_for_json(ChatClient& client, ChatRequest request,
                     std::function<std::variant<T, std::string>(const boost::json::object&)> read) {
  Completion completion = co_await client.complete(request);
  auto readout = read(boost::json::parse(completion.content).as_object());
  if (auto* text = std::get_if<std::string>(&readout)) throw Error(Errc::upstream_failed, *text);
  co_return std::move(std::get<T>(readout));
}
}  // namespace maas::llm
