#include "commands.hpp"

#include "core/error.hpp"
#include "http/probe.hpp"
#include "service.hpp"
#include "settings.hpp"
#include "sqlite/database.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace maas {
namespace {

constexpr std::chrono::seconds kProbeTimeout{3};

}  // namespace

int check_engines(const Config& config) {
  std::filesystem::create_directories(config.data_dir);
  Engines engines(config);
  engines.loops().start();
  int exit_code = 0;
  for (const api::Check& check : engines.checks()) {
    const auto problem =
        boost::asio::co_spawn(engines.loops()[0], check.problem(), boost::asio::use_future).get();
    const std::string state = problem ? "unavailable: " + *problem : "ok";
    const std::string note = check.note && !problem ? "; " + *check.note : "";
    std::printf("%-10s %-10s %s%s\n", check.name.c_str(), check.engine.c_str(), state.c_str(),
                note.c_str());
    if (problem) exit_code = 1;
  }
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
