#include "llm/local_model.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace maas::llm {
namespace {

namespace fs = std::filesystem;

// Short texts that share a run take half of their time: 1.9 ms instead of 4.2 at 8 tokens each.
// Past this many tokens a run gains nothing more, and who waits for it waits longer.
constexpr std::size_t kTokensInARun = 128;

constexpr const char* kIds = "input_ids";
constexpr const char* kMask = "attention_mask";
constexpr const char* kTypes = "token_type_ids";

Error unusable(const fs::path& file, const std::string& what, std::string detail = {}) {
  return Error(Errc::unavailable, file.string() + ": " + what, std::move(detail));
}

OnnxSession open_session(std::span<const fs::path> runtimes, const fs::path& file) try {
  return OnnxSession(runtimes, file);
} catch (const Error& error) {
  throw unusable(file, error.what(), error.detail());
}

}  // namespace

LocalModel::LocalModel(const ModelDirectory& directory, std::span<const fs::path> runtimes)
    : dims_(directory.dims),
      max_tokens_(directory.max_tokens),
      pooling_(directory.pooling),
      tokenizer_(directory.tokenizer),
      session_(open_session(runtimes, directory.graph)) {
  choose_inputs(directory.graph);
  choose_output(directory.graph);
  // Fails if the files are not of one model: the last token has to have an embedding, and vectors
  // the dimensions that the configuration says.
  const std::vector<Ids> last = {{tokenizer_.largest_id()}};
  std::vector<Vector> vectors(1);
  try {
    run(std::array<std::size_t, 1>{0}, last, vectors);
  } catch (const Error& error) {
    throw unusable(directory.graph, "it and the files beside it don't belong together",
                   error.detail());
  }
  shares_runs_ = has_mask_ && gives_the_same_in_company();
}

// A model whose numbers are rounded to 8 bits on their way may not: what rounding makes of the last
// digit, in which runs of different shapes differ, can be a thousandth in the end.
bool LocalModel::gives_the_same_in_company() const {
  constexpr std::array<std::size_t, 4> kLengths = {3, 5, 7, 20};
  constexpr std::int64_t kStep = 7919;
  constexpr float kSame = 0.99999F;
  std::vector<Ids> ids;
  std::int64_t id = 0;
  for (const std::size_t length : kLengths) {
    Ids& text = ids.emplace_back();
    for (std::size_t i = 0; i < length; ++i) {
      id = (id + kStep) % (tokenizer_.largest_id() + 1);
      text.push_back(id);
    }
  }
  constexpr std::array<std::size_t, 4> kRows = {0, 1, 2, 3};
  std::vector<Vector> together(ids.size());
  std::vector<Vector> alone(ids.size());
  run(kRows, ids, together);
  for (const std::size_t row : kRows) run(std::span(&row, 1), ids, alone);
  return std::ranges::equal(together, alone, [](const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F) >= kSame;
  });
}

void LocalModel::choose_inputs(const fs::path& file) {
  bool has_ids = false;
  for (const std::string& name : session_.inputs()) {
    if (name == kIds) {
      has_ids = true;
    } else if (name == kMask) {
      has_mask_ = true;
    } else if (name == kTypes) {
      has_types_ = true;
    } else {
      throw unusable(file, "its graph wants an input " + name + ", which is not supported");
    }
  }
  if (!has_ids) throw unusable(file, std::string("its graph has no input ") + kIds);
}

// A sentence's vector if the graph makes one, else the vectors of its tokens, which exporters give
// different names. Not the pooler's output, which is for telling what follows a sentence.
void LocalModel::choose_output(const fs::path& file) {
  constexpr std::array<const char*, 3> kNames = {"sentence_embedding", "last_hidden_state",
                                                 "token_embeddings"};
  const std::vector<OnnxOutput>& outputs = session_.outputs();
  for (const char* name : kNames) {
    const auto found = std::ranges::find(outputs, name, &OnnxOutput::name);
    if (found == outputs.end()) continue;
    output_ = found->name;
    return;
  }
  const auto tokens = std::ranges::find(outputs, 3U, &OnnxOutput::rank);
  if (tokens != outputs.end()) {
    output_ = tokens->name;
  } else if (outputs.size() == 1 && outputs.front().rank == 2) {
    output_ = outputs.front().name;
  } else {
    throw unusable(file, "its graph has no output of floats named last_hidden_state");
  }
}

std::vector<Vector> LocalModel::embed(std::span<const std::string* const> texts) const {
  std::vector<Ids> ids;
  ids.reserve(texts.size());
  for (const std::string* text : texts) {
    ids.push_back(tokenizer_.encode(*text, max_tokens_));
    if (ids.back().empty()) ids.back().push_back(tokenizer_.unknown());  // it has no [CLS] either
  }
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&ids](std::size_t text) { return ids[text].size(); });

  std::vector<Vector> vectors(texts.size());
  const std::span<const std::size_t> rows = order;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    const auto fits = [&](std::size_t length) {
      return shares_runs_ && length * (end - begin + 1) <= kTokensInARun;
    };
    while (end < rows.size() && fits(ids[rows[end]].size())) ++end;
    run(rows.subspan(begin, end - begin), ids, vectors);
    begin = end;
  }
  return vectors;
}

// One run of the graph, for texts of which the last is the longest.
void LocalModel::run(std::span<const std::size_t> rows, const std::vector<Ids>& ids,
                     std::vector<Vector>& vectors) const {
  const std::size_t length = ids[rows.back()].size();
  OnnxInput tokens{kIds, Ids(rows.size() * length)};
  OnnxInput mask{kMask, Ids(rows.size() * length)};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Ids& of_row = ids[rows[row]];
    const auto begin = static_cast<std::ptrdiff_t>(row * length);
    std::ranges::copy(of_row, tokens.values.begin() + begin);
    std::fill_n(mask.values.begin() + begin, of_row.size(), 1);
  }
  std::vector<OnnxInput> inputs;
  inputs.push_back(std::move(tokens));
  if (has_mask_) inputs.push_back(std::move(mask));
  if (has_types_) inputs.push_back({kTypes, Ids(rows.size() * length)});
  const OnnxTensor tensor = session_.run(inputs, rows.size(), output_);

  const std::size_t per_row = tensor.shape.size() == 3 ? length * dims_ : dims_;
  if (tensor.values.size() != rows.size() * per_row) {
    throw Error(Errc::unavailable, "The local embedding model gives vectors of another length",
                "its output " + output_ + " has not the dimensions of hidden_size, " +
                    std::to_string(dims_));
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    vectors[rows[row]] = pooled(tensor, row, ids[rows[row]].size());
  }
}

Vector LocalModel::pooled(const OnnxTensor& tensor, std::size_t row, std::size_t tokens) const {
  const bool by_token = tensor.shape.size() == 3;
  const std::size_t row_size = by_token ? tensor.shape[1] * dims_ : dims_;
  const float* first = tensor.values.data() + row * row_size;
  Vector vector(first, first + dims_);
  if (by_token && pooling_ == Pooling::mean) {
    for (std::size_t token = 1; token < tokens; ++token) {
      for (std::size_t i = 0; i < dims_; ++i) vector[i] += first[token * dims_ + i];
    }
  }
  const float norm =
      std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F));
  if (!std::isfinite(norm) || norm == 0) {
    throw Error(Errc::unavailable, "The local embedding model failed on a text",
                "its vector has no direction");
  }
  for (float& value : vector) value /= norm;
  return vector;
}

}  // namespace maas::llm
