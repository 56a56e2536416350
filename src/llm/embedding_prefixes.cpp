#include "llm/embedding_prefixes.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace maas::llm {
namespace {

constexpr std::string_view kRepresent = "Represent this sentence for searching relevant passages: ";
constexpr std::string_view kInstruct =
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"
    "Query: ";

struct ModelPrefixes {
  std::string_view part_of_name;
  std::string_view query;
  std::string_view document;
};

// The first that fits counts.
constexpr std::array<ModelPrefixes, 14> kPrefixes{{
    {"e5-mistral", kInstruct, ""},
    {"multilingual-e5-large-instruct", kInstruct, ""},
    {"e5-", "query: ", "passage: "},
    {"bge-m3", "", ""},
    // Chinese BGE models have an instruction of their own, which the later ones do without.
    {"bge-small-zh", "", ""},
    {"bge-base-zh", "", ""},
    {"bge-large-zh", "", ""},
    {"bge-", kRepresent, ""},
    {"mxbai-embed", kRepresent, ""},
    {"snowflake-arctic-embed2", "query: ", ""},  // as Ollama names what follows
    {"snowflake-arctic-embed-m-v2", "query: ", ""},
    {"snowflake-arctic-embed-l-v2", "query: ", ""},
    {"snowflake-arctic-embed", kRepresent, ""},
    {"nomic-embed-text", "search_query: ", "search_document: "},
}};

}  // namespace

std::string_view prefix_of(std::string_view model, TextKind kind) {
  std::string lower(model);
  std::ranges::transform(lower, lower.begin(), [](char each) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  });
  for (const ModelPrefixes& prefixes : kPrefixes) {
    if (lower.find(prefixes.part_of_name) == lower.npos) continue;
    return kind == TextKind::query ? prefixes.query : prefixes.document;
  }
  return {};
}

}  // namespace maas::llm
