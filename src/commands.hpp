#pragma once

#include "config.hpp"

#include <filesystem>
#include <string>

namespace maas {

// The commands beside `serve`. Each returns the process' exit code and throws Error.

// Reaches every configured engine and prints a table; 1 if one can't be used.
int check_engines(const Config& config);

// Prints the settings in force, secrets masked.
int print_config(const Config& config);

// Copies the embedded database to a new file, also while a server uses it.
int back_up(const Config& config, const std::filesystem::path& file);

// Writes all of long-term memory to a file of one JSON object a line, also while a server uses it;
// "-": to stdout. What was begun and interrupted is gone on with.
int export_memories(const Config& config, const std::string& file);

// Stores what such a file holds, "-": stdin, beside what is there. May be interrupted and run
// again. No server may use the data directory meanwhile.
int import_memories(const Config& config, const std::string& file);

// Embeds the memories whose vectors are of another model, or that have none. May be interrupted and
// run again. No server may use the data directory meanwhile.
int reembed(const Config& config);

// Asks the LLM about the messages that were kept verbatim because it had failed; as above.
int reprocess(const Config& config);

// Asks the server at the configured address for /health; 1 if it does not answer 200.
int check_health(const Config& config);

}  // namespace maas
