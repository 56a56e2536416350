// What models say: the reply of a chat provider, and the JSON in an answer. Whatever is taken from
// it is as its readers promise.
#include "fuzz/check.hpp"
#include "fuzz/utf8_input.hpp"
#include "llm/chat_protocol.hpp"
#include "llm/json_answer.hpp"
#include "ltm/extraction.hpp"
#include "ltm/memory_text.hpp"
#include "ltm/reconciliation.hpp"
#include "text/folding.hpp"

#include <boost/json/serialize.hpp>

#include <set>

namespace maas::fuzz {
namespace {

constexpr std::size_t kMemories = 3;  // that were shown to the model
constexpr std::size_t kFacts = 4;

void check_text(const std::string& text) {
  check(text::is_valid_utf8(text), "a text to be remembered is valid UTF-8");
  check(!ltm::is_blank(text), "a text to be remembered is not blank");
  check(text.size() <= ltm::kMaxFactBytes, "a text to be remembered is no longer than a fact");
}

void check_facts(const boost::json::object& object) {
  ltm::ExtractionLimits limits;
  limits.facts = kFacts;
  const auto read = ltm::facts_in(object, limits);
  const auto* facts = std::get_if<0>(&read);
  if (!facts) {
    check(!std::get<1>(read).empty(), "the model is told what is wrong");
    return;
  }
  check(facts->size() <= kFacts, "there are no more facts than are allowed");
  std::set<std::string> known;
  for (const std::string& fact : *facts) {
    check_text(fact);
    check(known.insert(text::folded_line(fact)).second, "each fact comes once");
  }
}

void check_decisions(const boost::json::object& object) {
  using Kind = ltm::Decision::Kind;
  const auto read = ltm::decisions_in(object, kMemories, kFacts);
  const auto* decisions = std::get_if<0>(&read);
  if (!decisions) {
    check(!std::get<1>(read).empty(), "the model is told what is wrong");
    return;
  }
  check(decisions->size() <= 2 * (kMemories + kFacts),
        "there are not more decisions than asked for");
  std::set<std::size_t> decided;
  for (const ltm::Decision& decision : *decisions) {
    const bool has_text = decision.kind == Kind::add || decision.kind == Kind::update;
    if (has_text) check_text(decision.text);
    if (decision.kind == Kind::add) continue;
    check(decision.memory < kMemories, "only memories that were shown are decided about");
    check(decided.insert(decision.memory).second, "each memory is decided about once");
  }
}

void check_answer(std::string_view answer) {
  const auto object = llm::object_in(answer);
  if (!object) return;
  // Its reals may differ in their last bit, which nobody reads.
  const auto again = llm::object_in(boost::json::serialize(*object));
  check(again && again->size() == object->size(), "an object in an answer is one of JSON");
  check_facts(*object);
  check_decisions(*object);
}

void check_repair(std::string_view answer) {
  const llm::Completion completion{.content = valid_utf8(answer)};
  const llm::ChatRequest repair = llm::repair_of({}, completion, llm::no_object_in(completion));
  check(repair.messages.size() == 2, "a repair shows the answer and what is wrong with it");
  const std::string& shown = repair.messages.front().content;
  check(text::is_valid_utf8(shown), "a bad answer is cut between characters");
  check(completion.content.starts_with(shown), "a bad answer is shown from its beginning");
}

void check_reply(std::string_view reply) {
  try {
    const llm::Completion completion = llm::completion_in(reply);
    check(!completion.content.empty(), "a completion has a text");
    check(text::is_valid_utf8(completion.content), "a completion is valid UTF-8");
    check_answer(completion.content);
  } catch (const llm::UnusableReply& unusable) {
    check(*unusable.what() != 0, "it is told what a reply lacks");
  }
}

// A refusal is worked round in a few steps, whatever it says, and each step learns one thing.
void check_refusal(std::string_view reply) {
  const llm::ChatRequest request{.json = true};
  llm::ChatQuirks known;
  for (int steps = 0;; ++steps) {
    const auto learned = llm::quirk_in(reply, known, request);
    if (!learned) break;
    check(*learned != known, "a step learns something");
    check(steps < 3, "there are three quirks");
    known = *learned;
  }
}

}  // namespace
}  // namespace maas::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text = maas::fuzz::text_of(data, size);
  maas::fuzz::check_reply(text);
  maas::fuzz::check_answer(text);
  maas::fuzz::check_repair(text);
  maas::fuzz::check_refusal(text);
  return 0;
}
