#include "llm/model_families.hpp"

#include <boost/algorithm/string/case_conv.hpp>

#include <algorithm>
#include <array>
#include <locale>
#include <string>

namespace maas::llm {
namespace {

constexpr std::string_view kRepresent = "Represent this sentence for searching relevant passages: ";
constexpr std::string_view kInstruct =
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"
    "Query: ";

struct ModelFamily {
  std::string_view part_of_name = {};
  std::string_view query_prefix = {};
  std::string_view document_prefix = {};
  bool pools_first_token = false;
};

// The first that fits counts.
constexpr std::array<ModelFamily, 15> kFamilies{{
    {"e5-mistral", kInstruct, "", false},
    {"multilingual-e5-large-instruct", kInstruct, "", false},
    {"e5-", "query: ", "passage: ", false},
    {"bge-m3", "", "", true},
    // Chinese BGE models have an instruction of their own, which the later ones do without.
    {"bge-small-zh", "", "", true},
    {"bge-base-zh", "", "", true},
    {"bge-large-zh", "", "", true},
    {"bge-", kRepresent, "", true},
    {"mxbai-embed", kRepresent, "", true},
    {"uae-large", kRepresent, "", true},
    {"snowflake-arctic-embed2", "query: ", "", true},  // as Ollama names what follows
    {"snowflake-arctic-embed-m-v2", "query: ", "", true},
    {"snowflake-arctic-embed-l-v2", "query: ", "", true},
    {"snowflake-arctic-embed", kRepresent, "", true},
    {"nomic-embed-text", "search_query: ", "search_document: ", false},
}};

ModelFamily family_of(std::string_view model) {
  const std::string name =
      boost::algorithm::to_lower_copy(std::string(model), std::locale::classic());
  const auto found = std::ranges::find_if(kFamilies, [&name](const ModelFamily& family) {
    return name.find(family.part_of_name) != name.npos;
  });
  return found == kFamilies.end() ? ModelFamily() : *found;
}

}  // namespace

std::string_view prefix_of(std::string_view model, TextKind kind) {
  const ModelFamily family = family_of(model);
  return kind == TextKind::query ? family.query_prefix : family.document_prefix;
}

bool pools_first_token(std::string_view model) { return family_of(model).pools_first_token; }

}  // namespace maas::llm
