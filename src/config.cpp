#include "config.hpp"

#include "api/api_keys.hpp"
#include "core/error.hpp"
#include "core/trimmed.hpp"
#include "setting_kinds.hpp"
#include "settings.hpp"
#include "stm/redis_url.hpp"
#include "telemetry_settings.hpp"
#include "text/language.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

extern char** environ;

namespace maas {
namespace {

constexpr std::size_t kMaxDefaultThreads = 4;
constexpr std::size_t kChatsAtOnce = 64;  // of as many requests none waits for another's
constexpr std::string_view kFastembed = "fastembed";
constexpr std::array<std::string_view, 8> kOurPrefixes{
    "MAAS_", "STM_", "LTM_", "REDIS_", "MONGODB_", "VECTOR_", "EMBEDDING_", "LLM_"};

std::size_t default_threads() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxDefaultThreads);
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) {
    throw Error(Errc::invalid_argument, "the file " + file.string() + " can't be read");
  }
  return text;
}

// What no single setting can tell: keys that parse, a URL and a language that are supported, an
// address that is safe.
void check_together(Config& config, std::vector<std::string>& problems) {
  try {
    if (!config.api_keys_file.empty()) {
      config.api_keys += "\n" + read_file(config.api_keys_file);
    }
    const api::ApiKeys keys = api::ApiKeys::parse(config.api_keys);
    if (!config.api_keys_file.empty() && keys.empty()) {
      problems.push_back("MAAS_API_KEYS_FILE names a file without a key");
    }
    if (keys.empty() && !config.allow_anonymous && !is_loopback(config.server.host)) {
      problems.push_back("MAAS_HOST " + config.server.host +
                         " is reachable from other machines, and no API keys are set: set "
                         "MAAS_API_KEYS, or MAAS_ALLOW_ANONYMOUS=true to serve everybody");
    }
  } catch (const Error& error) {
    problems.push_back(error.what());
  }
  if (!config.language.empty() && !text::language_named(config.language)) {
    problems.push_back("LTM_LANGUAGE '" + config.language +
                       "' is no language with a stemmer: give its English name or its ISO 639 "
                       "code, such as german or de; empty: detected");
  }
  try {
    if (!config.redis.url.empty()) stm::parse_redis_url(config.redis.url);
  } catch (const Error& error) {
    problems.push_back(error.what());
  }
  try {
    if (!config.mongo.uri.empty()) ltm::check_mongo_options(config.mongo);
  } catch (const Error& error) {
    problems.push_back(error.what());
  }
}

// What a model in a directory of the user's own is told about it. `given`: the settings that have a
// value; the standard ones are those of another provider.
void check_fastembed(Config& config, const Environment& given, std::vector<std::string>& problems) {
  if (config.model_path.empty()) {
    problems.push_back("EMBEDDING_MODEL_PATH is needed for EMBEDDING_PROVIDER fastembed");
  }
  const auto is_given = [&given](std::string_view name) {
    return std::ranges::any_of(
        given, [name](const auto& each) { return each.first == name && !each.second.empty(); });
  };
  if (is_given("EMBEDDING_MODEL")) config.model_name = config.embedding.model;
  if (is_given("EMBEDDING_DIMS")) config.model_dims = config.embedding.dims;
}

// What a provider of models needs to be asked at all.
void check_models(Config& config, const Environment& given, std::vector<std::string>& problems) {
  llm::ChatOptions& chat = config.chat;
  llm::RemoteEmbedderOptions& embedding = config.embedding;
  if (chat.provider.empty()) {
    chat.provider = chat.key.empty() && chat.base_url.empty() ? "none" : "openai";
  }
  embedding.azure_endpoint = chat.azure_endpoint;
  embedding.max_requests = config.embedding_client.max_concurrency;
  if (embedding.key.empty() && embedding.provider == chat.provider) embedding.key = chat.key;

  constexpr std::string_view kAzure = "azure_openai";
  const bool needs_key = chat.provider != "none" && chat.provider != "ollama";
  if (needs_key && chat.key.empty() && chat.base_url.empty()) {
    problems.push_back("LLM_API_KEY is needed for LLM_PROVIDER " + chat.provider);
  }
  if (chat.provider == kAzure && chat.azure_endpoint.empty() && chat.base_url.empty()) {
    problems.push_back("AZURE_ENDPOINT is needed for LLM_PROVIDER azure_openai");
  }
  if (embedding.provider == kFastembed) check_fastembed(config, given, problems);
  if (!config.embeds_over_http()) return;
  if (embedding.provider == kAzure && embedding.azure_endpoint.empty() &&
      embedding.base_url.empty()) {
    problems.push_back("AZURE_ENDPOINT is needed for EMBEDDING_PROVIDER azure_openai");
  }
  const bool may_lack_key = embedding.provider == "ollama" || embedding.provider == "huggingface";
  if (!may_lack_key && embedding.key.empty() && embedding.base_url.empty()) {
    problems.push_back("EMBEDDING_API_KEY is needed for EMBEDDING_PROVIDER " + embedding.provider);
  }
  const bool is_openai = embedding.provider == "openai" || embedding.provider == kAzure;
  if (!is_openai && embedding.model == llm::RemoteEmbedderOptions().model) {
    problems.push_back("EMBEDDING_MODEL has to name a model of EMBEDDING_PROVIDER " +
                       embedding.provider);
  }
}

// A quoted value as it stands between its quotes, else up to a comment; nullopt: no closing quote.
std::optional<std::string> env_value(std::string_view text) {
  if (text.starts_with('"') || text.starts_with('\'')) {
    const std::size_t end = text.find(text.front(), 1);
    if (end == text.npos) return std::nullopt;
    return std::string(text.substr(1, end - 1));
  }
  if (text.starts_with('#')) return std::string();
  return std::string(trimmed(text.substr(0, text.find(" #"))));
}

}  // namespace

Config::Config() : workers(default_threads()), embedding_threads(default_threads()) {
  chat.provider.clear();  // decided when all settings are known
  embedding.provider = "local";
  chat_client.max_concurrency = kChatsAtOnce;
  embedding_client.timeout = std::chrono::milliseconds(30'000);
  embedding_client.max_concurrency = embedding.max_requests;
  embedding_client.timeout_setting = "EMBEDDING_TIMEOUT_MS";
  embedding_client.concurrency_setting = "EMBEDDING_MAX_CONCURRENCY";
}

bool Config::embeds_over_http() const {
  return embedding.provider != "local" && embedding.provider != kFastembed &&
         embedding.provider != "none";
}

std::filesystem::path Config::database_file() const {
  return std::filesystem::path(data_dir) / "maas.db";
}

LoadedConfig load_config(const Environment& environment) {
  LoadedConfig loaded;
  std::vector<std::string> problems;
  for (const auto& [name, value] : environment) {
    const auto known = std::ranges::find(settings(), name, &Setting::name);
    if (known != settings().end()) continue;
    if (std::ranges::none_of(kOurPrefixes, [&](auto prefix) { return name.starts_with(prefix); })) {
      continue;
    }
    const std::string nearest = nearest_setting(name);
    loaded.warnings.push_back(name + " is not a setting" +
                              (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }
  for (const Setting& setting : settings()) {
    std::string_view value;
    for (const auto& [name, text] : environment) {
      if (name == setting.name) value = text;
    }
    if (value.empty()) continue;
    if (const auto error = setting.set(loaded.config, value)) {
      const std::string problem =
          setting.name + " '" + (setting.secret ? "***" : std::string(value)) + "' " + *error;
      if (setting.lenient) {
        loaded.warnings.push_back(problem + "; it is ignored");
      } else {
        problems.push_back(problem);
      }
    }
  }
  check_together(loaded.config, problems);
  check_models(loaded.config, environment, problems);
  complete_telemetry(loaded.config);
  if (!problems.empty()) {
    std::string text = "the configuration is not valid:";
    for (const std::string& problem : problems) text += "\n  " + problem;
    for (const std::string& warning : loaded.warnings) text += "\n  " + warning;
    throw Error(Errc::invalid_argument, text + "\n'maas --help' lists all settings");
  }
  return loaded;
}

Environment process_environment() {
  Environment variables;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != text.npos)
      variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

Environment read_env_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw Error(Errc::invalid_argument, "the env file " + file.string() + " can't be read");
  Environment variables;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    std::string_view text = trimmed(line);
    if (text.empty() || text.starts_with('#')) continue;
    if (text.starts_with("export ")) text = trimmed(text.substr(7));
    const std::size_t equals = text.find('=');
    const auto value =
        equals == text.npos ? std::nullopt : env_value(trimmed(text.substr(equals + 1)));
    if (!value || equals == 0) {
      throw Error(Errc::invalid_argument, file.string() + " line " + std::to_string(number) +
                                              " is not of the form NAME=value");
    }
    variables.emplace_back(trimmed(text.substr(0, equals)), *value);
  }
  return variables;
}

}  // namespace maas
