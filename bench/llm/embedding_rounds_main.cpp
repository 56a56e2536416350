// For embeddings.py: embedding_rounds DIRECTORY THREADS reads texts, each a JSON string on a line,
// up to an empty line; each line after it begins a round, which embeds all of them as documents of
// one request and prints the seconds that it took.
#include "llm/local_embedder.hpp"
#include "support/run_task.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace maas;

void run(const char* directory, std::size_t threads) {
  std::vector<std::string> texts;
  std::string line;
  while (std::getline(std::cin, line) && !line.empty()) {
    texts.emplace_back(boost::json::parse(line).as_string());
  }
  test::RunningLoops running;
  const auto embedder = llm::make_local_embedder({.directory = directory, .threads = threads});
  while (std::getline(std::cin, line)) {
    const auto begin = std::chrono::steady_clock::now();
    running.run(embedder->embed(texts, llm::TextKind::document));
    const auto took = std::chrono::steady_clock::now() - begin;
    std::cout << std::chrono::duration<double>(took).count() << std::endl;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: embedding_rounds DIRECTORY THREADS\n", stderr);
    return 1;
  }
  try {
    run(arguments[1], std::stoul(arguments[2]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
