// MaaS: memory as a service.
//
//   GET    /health                       the process lives
//   GET    /health/ready                 its engines serve
//   GET    /docs, /openapi.json          the API's page and its document
//   POST   /stm/{session_id}/messages    append messages to a session
//   GET    /stm/{session_id}/messages    the newest messages
//   GET    /stm/{session_id}/context     the window that a model is shown
//   PUT    /stm/{session_id}/config      how that window is made
//   GET    /stm/{session_id}/config
//   DELETE /stm/{session_id}             forget a session
//   POST   /ltm/memories                 remember messages
//   POST   /ltm/memories/search          find memories, best first
//   GET    /ltm/memories                 list a scope's memories, newest first
//   DELETE /ltm/memories                 forget a scope
//   GET    /ltm/memories/{id}            one memory
//   PUT    /ltm/memories/{id}            change it
//   DELETE /ltm/memories/{id}            forget it
//   GET    /ltm/memories/{id}/history    what became of it
//   DELETE /ltm/memories/expired         forget what has expired
//   POST   /ltm/memories/batch/add, /batch/search, /batch/delete

#include "commands.hpp"
#include "config.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "service.hpp"
#include "settings.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sys/stat.h>

namespace {

using namespace maas;

constexpr int kFailure = 1;
constexpr int kUsageError = 2;

struct Options {
  std::string host;
  std::string port;
  std::string data_dir;
  std::string env_file;
  std::string backup_file;
  std::string archive_file;
};

// What is said last wins: the env file, the environment, the command line.
LoadedConfig configuration(const Options& options) {
  constexpr const char* kDefaultEnvFile = ".env";
  Environment environment;
  if (!options.env_file.empty()) {
    environment = read_env_file(options.env_file);
  } else if (std::filesystem::is_regular_file(kDefaultEnvFile)) {
    environment = read_env_file(kDefaultEnvFile);
  }
  const Environment process = process_environment();
  environment.insert(environment.end(), process.begin(), process.end());
  if (!options.host.empty()) environment.emplace_back("MAAS_HOST", options.host);
  if (!options.port.empty()) environment.emplace_back("MAAS_PORT", options.port);
  if (!options.data_dir.empty()) environment.emplace_back("MAAS_DATA_DIR", options.data_dir);
  return load_config(environment);
}

int serve(const Config& config) {
  Service service(config);
  const std::string url = "http://" + config.server.host + ":" + std::to_string(service.port());
  log::info("MaaS " MAAS_VERSION " listens on " + url + "; its API page is " + url + "/docs",
            {{"stm", config.redis.url.empty() ? "sqlite" : "redis"},
             {"ltm", config.mongo.uri.empty() ? "sqlite" : "mongodb"},
             {"embedder", service.embedder()}});
  service.run();
  return 0;
}

int run(CLI::App& app, const Options& options) {
  // What is written holds what users said: databases, copies and archives are this user's alone.
  umask(S_IRWXG | S_IRWXO);
  if (app.got_subcommand("version")) {
    std::puts(MAAS_VERSION);
    return 0;
  }
  const auto [config, warnings] = configuration(options);
  log::set_level(config.log_level);
  for (const std::string& warning : warnings) log::warn(warning);
  if (app.got_subcommand("check")) return check_engines(config);
  if (app.got_subcommand("config")) return print_config(config);
  if (app.got_subcommand("backup")) return back_up(config, options.backup_file);
  if (app.got_subcommand("export")) return export_memories(config, options.archive_file);
  if (app.got_subcommand("import")) return import_memories(config, options.archive_file);
  if (app.got_subcommand("reembed")) return reembed(config);
  if (app.got_subcommand("reprocess")) return reprocess(config);
  if (app.got_subcommand("healthcheck")) return check_health(config);
  return serve(config);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("MaaS gives AI agents a memory over HTTP. Without a command it serves.", "maas");
  Options options;
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.add_option("--host", options.host, "Address to listen on (MAAS_HOST)");
  app.add_option("--port", options.port, "Port to listen on (MAAS_PORT, 8000)");
  app.add_option("--data-dir", options.data_dir,
                 "Directory of the embedded database (MAAS_DATA_DIR)");
  app.add_option("--env-file", options.env_file, "File with settings (.env if there is one)");
  app.add_subcommand("serve", "Serve until SIGTERM or SIGINT");
  app.add_subcommand("check", "Reach every configured engine and tell how they are");
  app.add_subcommand("config", "Print the settings in force, secrets masked");
  app.add_subcommand("backup", "Copy the embedded database to a new file, also while it is served")
      ->add_option("FILE", options.backup_file, "The file to write")
      ->required();
  app.add_subcommand("export", "Write all of long-term memory to a file, to move it elsewhere")
      ->add_option("FILE", options.archive_file, "The file to write; -: standard output")
      ->required();
  app.add_subcommand("import", "Store what a file of 'export' holds, beside what is there")
      ->add_option("FILE", options.archive_file, "The file to read; -: standard input")
      ->required();
  app.add_subcommand("reembed", "Embed the memories whose vectors are of another model");
  app.add_subcommand("reprocess", "Extract memories from messages kept while the LLM failed");
  app.add_subcommand("healthcheck",
                     "Ask the running server for /health; exit code 0 if it is well");
  app.add_subcommand("version", "Print the version");
  app.add_flag_callback(
      "--settings-markdown",
      [] {
        std::cout << settings_markdown();
        throw CLI::Success();
      },
      "Print the settings as the table of the README");
  app.footer(settings_help());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return code == 0 ? 0 : kUsageError;
  }
  int exit_code = kFailure;
  try {
    exit_code = run(app, options);
  } catch (const Error& error) {
    std::fprintf(stderr, "maas: %s\n", error.what());
    if (!error.detail().empty()) std::fprintf(stderr, "  %s\n", error.detail().c_str());
    exit_code = error.code() == Errc::invalid_argument ? kUsageError : kFailure;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "maas: %s\n", error.what());
  }
  log::flush();
  return exit_code;
}
