#include "llm/wordpiece_file.hpp"

#include "core/error.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace maas::llm {
namespace {

namespace json = boost::json;

Error unusable(const std::string& what) { return Error(Errc::invalid_argument, what); }

std::string quoted(const json::value& value) { return json::serialize(value).substr(0, 100); }

// Null: absent, or null in the file.
const json::value* find(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && !found->is_null() ? found : nullptr;
}

const json::object& part(const json::object& file, std::string_view name) {
  const json::value* found = find(file, name);
  if (!found || !found->is_object()) throw unusable("it lacks " + std::string(name));
  return found->get_object();
}

std::string_view type_of(const json::object& part) {
  const json::value* type = find(part, "type");
  return type && type->is_string() ? std::string_view(type->get_string()) : "?";
}

void want(const json::object& part, std::string_view what, std::string_view type) {
  if (type_of(part) == type) return;
  throw unusable("its " + std::string(what) + " is " + std::string(type_of(part)) + ", and only " +
                 std::string(type) + " is supported");
}

template <class T>
T value_or(const json::object& object, std::string_view name, T standard) {
  const json::value* found = find(object, name);
  if (!found) return standard;
  const auto read = json::try_value_to<T>(*found);
  if (!read) throw unusable("its " + std::string(name) + " can't be " + quoted(*found));
  return *read;
}

template <class T>
T required(const json::object& object, std::string_view name) {
  if (!find(object, name)) throw unusable("it lacks a field " + std::string(name));
  return value_or<T>(object, name, T());
}

void read_model(const json::object& model, WordPieceParts& parts) {
  want(model, "model", "WordPiece");
  parts.unknown = value_or(model, "unk_token", parts.unknown);
  parts.continuing_prefix = value_or(model, "continuing_subword_prefix", parts.continuing_prefix);
  if (parts.continuing_prefix.empty()) throw unusable("its continuing_subword_prefix is empty");
  parts.rules.longest_word = value_or(model, "max_input_chars_per_word", parts.rules.longest_word);
  const json::object& vocabulary = part(model, "vocab");
  parts.vocabulary.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary) {
    const auto number = json::try_value_to<std::int32_t>(id);
    if (!number || *number < 0) {
      throw unusable("its vocab has the id " + quoted(id) + " for " + quoted(json::value(token)));
    }
    parts.vocabulary.emplace_back(token, *number);
  }
}

void read_normalizer(const json::object& file, text::BertRules& rules) {
  const json::value* found = find(file, "normalizer");
  if (!found) {
    rules.clean_text = rules.handle_chinese_chars = rules.strip_accents = rules.lowercase = false;
    return;
  }
  const json::object& normalizer = part(file, "normalizer");
  want(normalizer, "normalizer", "BertNormalizer");
  rules.clean_text = value_or(normalizer, "clean_text", true);
  rules.handle_chinese_chars = value_or(normalizer, "handle_chinese_chars", true);
  rules.lowercase = value_or(normalizer, "lowercase", true);
  rules.strip_accents = value_or(normalizer, "strip_accents", rules.lowercase);
}

// White space around a special token, which some of them take in (lstrip, rstrip), is no token
// anyway.
void read_added_tokens(const json::object& file, WordPieceParts& parts) {
  const json::value* found = find(file, "added_tokens");
  if (!found) return;
  if (!found->is_array()) throw unusable("its added_tokens are no list");
  for (const json::value& each : found->get_array()) {
    if (!each.is_object()) throw unusable("its added_tokens have " + quoted(each));
    const json::object& token = each.get_object();
    const auto content = required<std::string>(token, "content");
    if (value_or(token, "single_word", false)) {
      throw unusable("its added token " + content + " is a single_word, which is not supported");
    }
    parts.specials.emplace_back(content, required<std::int32_t>(token, "id"));
  }
}

// ["[CLS]", 101]
std::int64_t id_of_pair(const json::object& processor, std::string_view name) {
  const auto pair = required<std::pair<std::string, std::int64_t>>(processor, name);
  return pair.second;
}

void read_template(const json::object& processor, WordPieceParts& parts) {
  const json::value* pieces = find(processor, "single");
  if (!pieces || !pieces->is_array()) throw unusable("its post_processor lacks single");
  std::vector<std::int64_t>* place = &parts.before;
  for (const json::value& each : pieces->get_array()) {
    const json::object* piece = each.if_object();
    if (piece && piece->contains("Sequence")) {
      place = &parts.after;
      continue;
    }
    if (!piece || !piece->contains("SpecialToken")) {
      throw unusable("its post_processor has " + quoted(each));
    }
    const auto name = required<std::string>(part(*piece, "SpecialToken"), "id");
    const json::object& special = part(part(processor, "special_tokens"), name);
    for (const std::int64_t id : required<std::vector<std::int64_t>>(special, "ids")) {
      place->push_back(id);
    }
  }
}

void read_post_processor(const json::object& file, WordPieceParts& parts) {
  if (!find(file, "post_processor")) return;
  const json::object& processor = part(file, "post_processor");
  const std::string_view type = type_of(processor);
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    parts.before = {id_of_pair(processor, "cls")};
    parts.after = {id_of_pair(processor, "sep")};
  } else {
    want(processor, "post_processor", "TemplateProcessing");
    read_template(processor, parts);
  }
}

}  // namespace

WordPieceParts read_wordpiece(const json::value& file) {
  if (!file.is_object()) throw unusable("it is no object");
  const json::object& object = file.get_object();
  WordPieceParts parts;
  read_model(part(object, "model"), parts);
  read_normalizer(object, parts.rules);
  want(part(object, "pre_tokenizer"), "pre_tokenizer", "BertPreTokenizer");
  read_added_tokens(object, parts);
  read_post_processor(object, parts);
  return parts;
}

}  // namespace maas::llm
