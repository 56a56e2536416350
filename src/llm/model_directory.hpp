#pragma once

#include "llm/wordpiece.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace maas::llm {

// How the vectors of a text's tokens become one.
enum class Pooling { mean, first_token };

// A sentence embedding model as sentence-transformers, Optimum and fastembed lay it out:
// model.onnx or model_optimized.onnx (also in onnx/), tokenizer.json, config.json, and, if they are
// there, 1_Pooling/config.json, modules.json, sentence_bert_config.json, tokenizer_config.json and
// config_sentence_transformers.json.
struct ModelDirectory {
  std::string name = {};  // as it was given, else the directory's own
  // Names the vectors: `model` in a config.json that scripts/model wrote, else name and dimensions.
  std::string space = {};
  std::filesystem::path graph = {};
  WordPieceParts tokenizer = {};
  std::size_t dims = 0;
  std::size_t max_tokens = 0;  // of a text, [CLS] and [SEP] counted
  Pooling pooling = Pooling::mean;
  // What stands before a text: the model's own prompts, else those that models of its name want.
  std::string query_prefix = {};
  std::string document_prefix = {};
};

// `name` may be empty. Reads all but the graph. Throws Error{unavailable} that names the file that
// is missing, broken, or asks for something that is not supported.
ModelDirectory read_model_directory(const std::filesystem::path& path, const std::string& name);

}  // namespace maas::llm
