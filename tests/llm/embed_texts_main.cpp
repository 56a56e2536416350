// For embed_texts.py: reads texts from the standard input, each a line with its size in bytes
// and then these bytes, and writes for each a line: with the arguments `ids`, a model's directory
// and how many at most its tokens, with `vectors` and a model's directory its vector.
#include "llm/local_embedder.hpp"
#include "llm/model_directory.hpp"
#include "llm/wordpiece.hpp"
#include "support/run_task.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace maas::llm;

std::vector<std::string> read_texts() {
  std::vector<std::string> texts;
  std::size_t size = 0;
  while (std::cin >> size) {
    std::cin.get();
    std::string text(size, '\0');
    if (!std::cin.read(text.data(), static_cast<std::streamsize>(size))) {
      throw std::runtime_error("the input ends within a text");
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

template <class Row>
void write_row(const Row& row) {
  for (const auto value : row) std::cout << value << ' ';
  std::cout << '\n';
}

void write_ids(const char* directory, std::size_t max_tokens) {
  const WordPiece tokenizer(read_model_directory(directory, "").tokenizer);
  for (const std::string& text : read_texts()) write_row(tokenizer.encode(text, max_tokens));
}

void write_vectors(const char* directory) {
  maas::test::RunningLoops loops;
  const char* runtime = std::getenv("MAAS_TEST_MODEL_DIR");
  const auto embedder = make_local_embedder(
      {.directory = directory, .threads = 2, .runtime = runtime ? runtime : ""});
  const std::vector<std::string> texts = read_texts();
  const auto vectors = loops.run(embedder->embed(texts, TextKind::document));
  std::cout.precision(9);
  for (const Vector& vector : vectors) write_row(vector);
}

}  // namespace

int main(int count, char** arguments) {
  std::ios::sync_with_stdio(false);
  const std::string_view what = count >= 3 ? arguments[1] : "";
  try {
    if (what == "ids" && count == 4) {
      write_ids(arguments[2], std::stoul(arguments[3]));
    } else if (what == "vectors" && count == 3) {
      write_vectors(arguments[2]);
    } else {
      std::fputs("usage: embed_texts ids DIRECTORY MAX_TOKENS | vectors DIRECTORY\n", stderr);
      return 1;
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
