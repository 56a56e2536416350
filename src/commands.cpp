#include "commands.hpp"

#include "core/error.hpp"
#include "http/probe.hpp"
#include "ltm/backlog.hpp"
#include "ltm/inference.hpp"
#include "progress.hpp"
#include "service.hpp"
#include "settings.hpp"
#include "sqlite/database.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace maas {
namespace {

constexpr std::chrono::seconds kProbeTimeout{3};

// Awaits a task that runs on an event loop.
template <class T>
T run(Engines& engines, Task<T> task) {
  return boost::asio::co_spawn(engines.loops()[0], std::move(task), boost::asio::use_future).get();
}

void print_check(std::string_view what, std::string_view name, const std::string& state) {
  std::printf("%-10.*s %-12.*s %s\n", int(what.size()), what.data(), int(name.size()), name.data(),
              state.c_str());
}

// Tries a model out and tells how it went, with what `ask` tells of its answer.
template <class Ask>
bool try_model(std::string_view what, std::string_view name, Ask ask) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  try {
    const std::string answer = ask();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    print_check(what, name, "ok: " + answer + ", " + std::to_string(took.count()) + " ms");
    return true;
  } catch (const Error& error) {
    const std::string detail = error.detail().empty() ? "" : " (" + error.detail() + ")";
    print_check(what, name, std::string("failed: ") + error.what() + detail);
    return false;
  }
}

bool try_chat(Engines& engines, std::string_view what, llm::ChatClient& model) {
  return try_model(what, model.provider(), [&] {
    llm::ChatRequest request;
    request.messages.push_back({"user", "Answer with the one word: ready"});
    request.max_tokens = 16;
    run(engines, model.complete(request));
    return std::string(model.model()) + " answers";
  });
}

bool try_models(Engines& engines) {
  Models& models = engines.models();
  bool all_work = true;
  if (llm::Embedder* embedder = models.embedder()) {
    all_work &= try_model("embedder", embedder->engine(), [&] {
      const std::vector<std::string> texts(1, "MaaS remembers.");
      const auto vectors = run(engines, embedder->embed(texts, llm::TextKind::document));
      return std::string(embedder->model()) + " embeds in " +
             std::to_string(vectors.front().size()) + " dimensions";
    });
  }
  if (models.chat()) all_work &= try_chat(engines, "llm", *models.chat());
  if (models.summarizing() != models.chat()) {
    all_work &= try_chat(engines, "summaries", *models.summarizing());
  }
  return all_work;
}

constexpr std::size_t kCaughtUpAtOnce = 256;

// Walks through what waits for work until nothing is left.
template <class Next>
int catch_up(Engines& engines, const char* what, Next next) {
  Progress progress(what);
  std::size_t finished = 0;
  ltm::BacklogPart part;
  do {
    part = run(engines, next(part.last));
    finished += part.finished;
    progress.tell(finished);
  } while (part.seen > 0);
  progress.end();
  std::printf("%zu memories %s\n", finished, what);
  return 0;
}

}  // namespace

int reembed(const Config& config) {
  const DataDirectoryLock lock(config.data_dir);
  Engines engines(config);
  if (!engines.models().embedder()) {
    throw Error(Errc::invalid_argument, "there is no embedding model: " + std::string(kWordsAlone));
  }
  engines.loops().start();
  return catch_up(engines, "embedded", [&](std::int64_t after) {
    return ltm::embed_backlog(engines.memories(), *engines.models().embedder(), after,
                              kCaughtUpAtOnce);
  });
}

int reprocess(const Config& config) {
  const DataDirectoryLock lock(config.data_dir);
  Engines engines(config);
  if (!engines.models().chat()) {
    throw Error(Errc::invalid_argument, "there is no LLM: " + std::string(kNoLlm));
  }
  ltm::Inference inference(engines.memories(), engines.models().embedder(),
                           *engines.models().chat(), long_term_options(config, engines).inference);
  engines.loops().start();
  return catch_up(engines, "processed", [&](std::int64_t after) {
    return ltm::infer_backlog(engines.memories(), inference, after, kCaughtUpAtOnce);
  });
}

int check_engines(const Config& config) {
  std::filesystem::create_directories(config.data_dir);
  Engines engines(config);
  engines.loops().start();
  int exit_code = 0;
  for (const api::Check& check : engines.checks()) {
    const bool is_tried_out = (check.name == "embedder" || check.name == "llm") && !check.note;
    if (is_tried_out) continue;
    const auto problem = run(engines, check.problem());
    const std::string note = check.note ? check.note() : std::string();
    const std::string state = problem ? "unavailable: " + *problem : "ok";
    print_check(check.name, check.engine, state + (!note.empty() && !problem ? "; " + note : ""));
    if (problem) exit_code = 1;
  }
  if (!try_models(engines)) exit_code = 1;
  return exit_code;
}

int print_config(const Config& config) {
  std::cout << effective_settings(config);
  return 0;
}

int back_up(const Config& config, const std::filesystem::path& file) {
  if (!std::filesystem::exists(config.database_file())) {
    throw Error(Errc::invalid_argument, "there is no database " + config.database_file().string() +
                                            "; name its directory with --data-dir");
  }
  if (std::filesystem::exists(file)) {
    throw Error(Errc::invalid_argument, file.string() + " exists already; name a new file");
  }
  const bool terminal = isatty(STDERR_FILENO) == 1;
  sqlite::backup(config.database_file(), file, [terminal](int copied, int pages) {
    if (terminal) std::fprintf(stderr, "\rcopied %d of %d pages", copied, pages);
  });
  if (terminal) std::fprintf(stderr, "\n");
  std::printf(
      "%s holds the database; to restore it, put it in place of maas.db in an empty data "
      "directory\n",
      file.c_str());
  if (!config.redis.url.empty()) {
    std::printf("short-term memory is in Redis (REDIS_URL), which has its own backups\n");
  }
  if (!config.mongo.uri.empty()) {
    std::printf("long-term memory is in MongoDB (MONGODB_URI), which has its own backups\n");
  }
  return 0;
}

int check_health(const Config& config) {
  // A server that listens on every address answers on loopback.
  std::string host = config.server.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  const int status = http::probe(host, config.server.port, "/health", kProbeTimeout);
  std::printf("GET /health: %d\n", status);
  return status == 200 ? 0 : 1;
}

}  // namespace maas
