#include "llm/model_directory.hpp"

#include "core/error.hpp"
#include "llm/model_families.hpp"
#include "llm/wordpiece_file.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <array>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace maas::llm {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::array<const char*, 4> kGraphs = {"model.onnx", "model_optimized.onnx",
                                                "onnx/model.onnx", "onnx/model_optimized.onnx"};
constexpr std::array<const char*, 2> kRequired = {"tokenizer.json", "config.json"};

Error unusable(const fs::path& path, const std::string& what, std::string detail = {}) {
  return Error(Errc::unavailable, path.string() + ": " + what, std::move(detail));
}

bool is_file(const fs::path& path) { return fs::exists(path) && !fs::is_directory(path); }

fs::path graph_in(const fs::path& directory) {
  for (const char* name : kGraphs) {
    if (is_file(directory / name)) return directory / name;
  }
  return {};
}

void check_files(const fs::path& directory) {
  if (!fs::is_directory(directory)) throw unusable(directory, "there is no such directory");
  std::string missing;
  const auto note = [&missing](const std::string& name) {
    missing += (missing.empty() ? "" : ", ") + name;
  };
  if (graph_in(directory).empty()) note("model.onnx (or model_optimized.onnx)");
  for (const char* name : kRequired) {
    if (!is_file(directory / name)) note(name);
  }
  if (!missing.empty()) throw unusable(directory, "the directory lacks " + missing);
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw unusable(path, "it can't be read");
  return content;
}

json::value read_json(const fs::path& path) {
  boost::system::error_code error;
  json::value read = json::parse(read_file(path), error);
  if (error) throw unusable(path, "it is no JSON", error.message());
  return read;
}

// A file's object, and which file it is.
struct Description {
  fs::path path = {};
  json::object fields = {};

  // Nullopt: absent or null. Throws for another type.
  template <class T>
  std::optional<T> get(std::string_view name) const {
    const json::value* found = fields.if_contains(name);
    if (!found || found->is_null()) return std::nullopt;
    const auto value = json::try_value_to<T>(*found);
    if (!value) throw unusable(path, std::string(name) + " has a value of another kind");
    return *value;
  }
};

// Without fields if there is no such file.
Description describe(const fs::path& path) {
  if (!fs::exists(path)) return {path, {}};
  json::value read = read_json(path);
  if (!read.is_object()) throw unusable(path, "it is no object");
  return {path, std::move(read.get_object())};
}

// Nullopt: the file doesn't say. Of sentence-transformers' modes these two, and one that is the
// mean but for its length.
std::optional<Pooling> pooling_of(const Description& description) {
  const std::string one = description.get<std::string>("pooling_mode").value_or("");
  std::vector<std::string> modes;
  if (!one.empty()) modes.push_back(one);
  constexpr std::string_view kMode = "pooling_mode_";
  for (const auto& [key, value] : description.fields) {
    const std::string_view name = key;
    if (name.starts_with(kMode) && value == json::value(true)) {
      modes.emplace_back(name.substr(kMode.size()));
    }
  }
  if (modes.empty()) return std::nullopt;
  const std::string& mode = modes.front();
  if (modes.size() == 1) {
    if (mode == "cls" || mode == "cls_token") return Pooling::first_token;
    if (mode == "mean" || mode == "mean_tokens" || mode == "mean_sqrt_len_tokens") {
      return Pooling::mean;
    }
  }
  throw unusable(description.path, "the pooling mode " + mode +
                                       (modes.size() > 1 ? " and " + modes.back() : "") +
                                       " is not supported: mean or cls");
}

// What follows the transformer has to be pooling and normalization.
void check_modules(const fs::path& path) {
  if (!fs::exists(path)) return;
  const json::value modules = read_json(path);
  if (!modules.is_array()) throw unusable(path, "it is no list");
  for (const json::value& module : modules.get_array()) {
    const json::object* fields = module.if_object();
    const json::value* type = fields ? fields->if_contains("type") : nullptr;
    const std::string name = type && type->is_string() ? std::string(type->get_string()) : "";
    const auto is = [&name](std::string_view kind) { return name.ends_with(kind); };
    if (is("Transformer") || is("Pooling") || is("Normalize")) continue;
    throw unusable(path, "a module of type " + name + " is not supported");
  }
}

std::size_t max_tokens_of(const fs::path& directory, const Description& config) {
  std::size_t most = std::numeric_limits<std::size_t>::max();
  // Some say "no limit" by a number beyond all integers.
  const auto at_most = [&most](std::optional<double> limit) {
    if (limit && *limit >= 1 && *limit < static_cast<double>(most)) {
      most = static_cast<std::size_t>(*limit);
    }
  };
  at_most(config.get<double>("max_position_embeddings"));
  const std::string type = config.get<std::string>("model_type").value_or("bert");
  // Their first two positions are that of padding and one that none has.
  if (type == "mpnet" || type.ends_with("roberta")) most -= 2;
  at_most(describe(directory / "sentence_bert_config.json").get<double>("max_seq_length"));
  at_most(describe(directory / "tokenizer_config.json").get<double>("model_max_length"));
  if (most < 3 || most > std::numeric_limits<std::uint32_t>::max()) {
    throw unusable(config.path, "it lacks max_position_embeddings");
  }
  return most;
}

void read_prefixes(const fs::path& directory, const std::string& base, ModelDirectory& read) {
  const Description settings = describe(directory / "config_sentence_transformers.json");
  const json::value* prompts = settings.fields.if_contains("prompts");
  if (prompts && prompts->is_object() && !prompts->get_object().empty()) {
    const Description own{settings.path, prompts->get_object()};
    read.query_prefix = own.get<std::string>("query").value_or("");
    const auto document = own.get<std::string>("document");
    read.document_prefix = document ? *document : own.get<std::string>("passage").value_or("");
  }
  if (!read.query_prefix.empty() || !read.document_prefix.empty()) return;
  for (const std::string& name : {read.name, base}) {
    read.query_prefix = prefix_of(name, TextKind::query);
    read.document_prefix = prefix_of(name, TextKind::document);
    if (!read.query_prefix.empty()) return;
  }
}

WordPieceParts read_tokenizer(const fs::path& path) {
  try {
    return read_wordpiece(read_json(path));
  } catch (const Error& error) {
    if (error.code() != Errc::invalid_argument) throw;
    throw unusable(path, error.what());
  }
}

}  // namespace

ModelDirectory read_model_directory(const fs::path& path, const std::string& name) {
  check_files(path);
  const Description config = describe(path / "config.json");
  const std::string base = config.get<std::string>("_name_or_path").value_or("");
  ModelDirectory read;
  read.name = name.empty() ? fs::canonical(path).filename().string() : name;
  read.graph = graph_in(path);
  read.dims = config.get<std::size_t>("hidden_size").value_or(0);
  if (read.dims == 0) throw unusable(config.path, "it lacks hidden_size");
  const auto own = config.get<std::string>("model");
  read.space = own && name.empty() ? *own : read.name + "/" + std::to_string(read.dims);
  read.max_tokens = max_tokens_of(path, config);
  check_modules(path / "modules.json");
  const auto said = pooling_of(describe(path / "1_Pooling/config.json"));
  const bool first = pools_first_token(read.name) || pools_first_token(base);
  read.pooling = said.value_or(first ? Pooling::first_token : Pooling::mean);
  read_prefixes(path, base, read);
  read.tokenizer = read_tokenizer(path / "tokenizer.json");
  return read;
}

}  // namespace maas::llm
