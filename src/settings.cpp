#include "settings.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

namespace maas {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

// A reference to the field of a Config that a setting is about.
template <class T>
using Field = T& (*)(Config&);

// Getters below only read, so the same accessor serves a const configuration.
template <class T>
const T& read(Field<T> field, const Config& config) {
  return field(const_cast<Config&>(config));
}

std::string range_text(std::int64_t smallest, std::int64_t largest) {
  if (largest == kNoLimit) return std::to_string(smallest) + " or more";
  return std::to_string(smallest) + " to " + std::to_string(largest);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
Setting integer(std::string name, Field<T> field, std::int64_t smallest, std::int64_t largest,
                std::string meaning) {
  const std::string range = range_text(smallest, largest);
  return {.name = std::move(name),
          .range = range,
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            const auto value = parse_integer(text);
            if (!value || *value < smallest || *value > largest) {
              return "is not a whole number, " + range;
            }
            field(config) = static_cast<T>(*value);
            return std::nullopt;
          },
          .show = [=](const Config& config) { return std::to_string(read(field, config)); }};
}

Setting milliseconds(std::string name, Field<std::chrono::milliseconds> field,
                     std::string meaning) {
  constexpr std::int64_t kSmallest = 10;
  constexpr std::int64_t kLargest = 3'600'000;
  return {
      .name = std::move(name),
      .range = range_text(kSmallest, kLargest),
      .meaning = std::move(meaning) + ", in milliseconds",
      .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
        const auto value = parse_integer(text);
        if (!value || *value < kSmallest || *value > kLargest) {
          return "is not a whole number of milliseconds, " + range_text(kSmallest, kLargest);
        }
        field(config) = std::chrono::milliseconds(*value);
        return std::nullopt;
      },
      .show = [=](const Config& config) { return std::to_string(read(field, config).count()); }};
}

Setting share(std::string name, Field<double> field, std::string meaning) {
  return {.name = std::move(name),
          .range = "0 to 1",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            double value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc{} || end != text.data() + text.size() ||
                !(value >= 0 && value <= 1)) {
              return "is not a number from 0 to 1";
            }
            field(config) = value;
            return std::nullopt;
          },
          .show =
              [=](const Config& config) {
                std::string text = std::to_string(read(field, config));
                text.erase(text.find_last_not_of('0') + 1);
                if (text.ends_with('.')) text.pop_back();
                return text;
              }};
}

Setting text(std::string name, Field<std::string> field, std::string meaning) {
  return {.name = std::move(name),
          .range = "text",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view value) -> std::optional<std::string> {
            field(config) = value;
            return std::nullopt;
          },
          .show = [=](const Config& config) { return read(field, config); }};
}

Setting secret(Setting setting) {
  setting.secret = true;
  return setting;
}

// One of a few words.
template <class T>
Setting choice(std::string name, Field<T> field, std::vector<std::pair<std::string, T>> words,
               std::string meaning) {
  std::string range;
  for (const auto& [word, value] : words) range += (range.empty() ? "" : " | ") + word;
  return {.name = std::move(name),
          .range = range,
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            for (const auto& [word, value] : words) {
              if (word != text) continue;
              field(config) = value;
              return std::nullopt;
            }
            return "is not one of " + range;
          },
          .show =
              [=](const Config& config) {
                for (const auto& [word, value] : words) {
                  if (value == read(field, config)) return word;
                }
                return std::string();
              }};
}

Setting list(std::string name, Field<std::vector<std::string>> field, std::string meaning) {
  return {.name = std::move(name),
          .range = "comma-separated",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            field(config).clear();
            while (!text.empty()) {
              const std::size_t end = std::min(text.find(','), text.size());
              std::string_view item = text.substr(0, end);
              text.remove_prefix(std::min(end + 1, text.size()));
              while (item.starts_with(' ')) item.remove_prefix(1);
              while (item.ends_with(' ')) item.remove_suffix(1);
              if (!item.empty()) field(config).emplace_back(item);
            }
            return std::nullopt;
          },
          .show =
              [=](const Config& config) {
                std::string joined;
                for (const std::string& item : read(field, config)) {
                  joined += (joined.empty() ? "" : ",") + item;
                }
                return joined;
              }};
}

// A URL may hold a password: shown without what stands before the '@'.
Setting url(Setting setting) {
  setting.range = "URL";
  setting.show = [show = setting.show](const Config& config) {
    std::string shown = show(config);
    const std::size_t at = shown.rfind('@');
    const std::size_t user = shown.find("://");
    if (at != std::string::npos && user != std::string::npos && user < at) {
      shown.replace(user + 3, at - user - 3, "***");
    }
    return shown;
  };
  return setting;
}

std::vector<Setting> make_settings() {
  using log::Level;
  using stm::Strategy;
  const std::vector<std::pair<std::string, bool>> kYesNo{{"true", true}, {"false", false}};
  return {
      text(
          "MAAS_HOST", [](Config& c) -> auto& { return c.server.host; },
          "address to listen on; other than loopback only with API keys"),
      integer<std::uint16_t>(
          "MAAS_PORT", [](Config& c) -> auto& { return c.server.port; }, 0, 65535,
          "port to listen on; 0: any free one"),
      text(
          "MAAS_DATA_DIR", [](Config& c) -> auto& { return c.data_dir; },
          "directory of the embedded database"),
      integer<std::size_t>(
          "MAAS_WORKERS", [](Config& c) -> auto& { return c.workers; }, 1, 64,
          "event loops, one thread each; default: the cores, at most 4"),
      secret(text(
          "MAAS_API_KEYS", [](Config& c) -> auto& { return c.api_keys; },
          "tenant:key pairs, comma-separated; empty: no key is asked for")),
      text(
          "MAAS_API_KEYS_FILE", [](Config& c) -> auto& { return c.api_keys_file; },
          "file with tenant:key pairs, one a line"),
      choice(
          "MAAS_ALLOW_ANONYMOUS", +[](Config& c) -> bool& { return c.allow_anonymous; }, kYesNo,
          "serve everybody who can reach the address when no keys are set"),
      integer<std::size_t>(
          "MAAS_MAX_CONNECTIONS", [](Config& c) -> auto& { return c.server.max_connections; }, 1,
          1'000'000, "open connections; more are answered with 503"),
      integer<std::size_t>(
          "MAAS_MAX_HEAD_BYTES", [](Config& c) -> auto& { return c.server.max_head_bytes; }, 1024,
          1'048'576, "size of a request's head; more is answered with 431"),
      integer<std::size_t>(
          "MAAS_MAX_BODY_BYTES", [](Config& c) -> auto& { return c.server.max_body_bytes; }, 1024,
          1'073'741'824, "size of a request's body; more is answered with 413"),
      milliseconds(
          "MAAS_HEADER_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.header_timeout; },
          "time for a request's head to arrive, else 408"),
      milliseconds(
          "MAAS_BODY_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.body_timeout; },
          "time for a request's body to arrive, else 408"),
      milliseconds(
          "MAAS_IDLE_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.idle_timeout; },
          "time between requests of a connection, and for a stalled reader"),
      milliseconds(
          "MAAS_REQUEST_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.request_timeout; },
          "time to work on a request, else 504"),
      milliseconds(
          "MAAS_STOP_TIMEOUT_MS", [](Config& c) -> auto& { return c.server.stop_timeout; },
          "time for requests in flight when the server is asked to stop"),
      list(
          "MAAS_CORS_ORIGINS", [](Config& c) -> auto& { return c.server.cors_origins; },
          "web origins that may call from a browser; *: all; empty: none"),
      choice(
          "MAAS_LOG_LEVEL", +[](Config& c) -> Level& { return c.log_level; },
          {{"trace", Level::trace},
           {"debug", Level::debug},
           {"info", Level::info},
           {"warn", Level::warn},
           {"error", Level::error},
           {"off", Level::off}},
          "what is logged: this and what is worse"),
      share(
          "MAAS_ACCESS_LOG_SAMPLE", [](Config& c) -> auto& { return c.access_log_sample; },
          "share of requests that get an access log line; 0: none"),
      choice(
          "MAAS_SQLITE_SYNCHRONOUS",
          +[](Config& c) -> std::string& { return c.sqlite_synchronous; },
          {{"full", "full"}, {"normal", "normal"}},
          "normal: faster, but a power cut may take the last moments"),
      url(text(
          "REDIS_URL", [](Config& c) -> auto& { return c.redis.url; },
          "Redis for short-term memory, redis://[user][:password]@host[:port][/database], "
          "rediss:// for TLS; empty: the embedded database")),
      text(
          "REDIS_CA_FILE", [](Config& c) -> auto& { return c.redis.ca_file; },
          "PEM file of certificate authorities to trust for rediss:// beside the system's"),
      milliseconds(
          "REDIS_TIMEOUT_MS", [](Config& c) -> auto& { return c.redis.timeout; },
          "time for one Redis command, and for connecting, else 503"),
      choice(
          "STM_DEFAULT_STRATEGY", +[](Config& c) -> Strategy& { return c.context.strategy; },
          {{"sliding_window", Strategy::sliding_window},
           {"token_threshold", Strategy::token_threshold}},
          "how the context of a session is made that does not set it"),
      integer<std::int64_t>(
          "STM_MAX_MESSAGES", [](Config& c) -> auto& { return c.context.max_messages; }, 1,
          kNoLimit, "messages in a sliding window"),
      integer<std::int64_t>(
          "STM_MAX_TOKENS", [](Config& c) -> auto& { return c.context.max_tokens; }, 1, kNoLimit,
          "tokens in a context past which the oldest are summarized"),
      integer<std::int64_t>(
          "STM_SESSION_TTL_SECONDS", [](Config& c) -> auto& { return c.session_ttl_seconds; }, 0,
          3'153'600'000, "life of a session after its last append or settings change; 0: for ever"),
      text(
          "STM_SUMMARIZATION_MODEL", [](Config& c) -> auto& { return c.summarization_model; },
          "model whose tokens are counted; empty: LLM_MODEL"),
      integer<std::int64_t>(
          "LTM_DEFAULT_TTL_SECONDS",
          [](Config& c) -> auto& { return c.long_term.default_ttl_seconds; }, 0, 3'153'600'000,
          "life of a memory whose request does not say; 0: for ever"),
      integer<std::size_t>(
          "LTM_MAX_BATCH_SIZE", [](Config& c) -> auto& { return c.long_term_limits.batch_size; }, 1,
          10'000, "items of a batch; more are answered with 400"),
      integer<std::size_t>(
          "LTM_MAX_MEMORIES_PER_REQUEST",
          [](Config& c) -> auto& { return c.long_term_limits.messages; }, 1, 100'000,
          "messages in one add or batch of adds; more are answered with 422"),
      integer<std::size_t>(
          "LTM_MAX_FILTER_CONDITIONS",
          [](Config& c) -> auto& { return c.long_term_limits.filter_conditions; }, 1, 10'000,
          "conditions in one filter; more are answered with 422"),
      integer<std::size_t>(
          "LTM_CACHE_MB", [](Config& c) -> auto& { return c.partition_cache_mb; }, 1, 1'048'576,
          "memory for the scopes searched last, in MiB; others are read from the disk"),
      integer<std::size_t>(
          "LTM_HNSW_THRESHOLD", [](Config& c) -> auto& { return c.hnsw_threshold; }, 1, kNoLimit,
          "memories in a scope past which an index finds the nearest instead of a scan"),
      text(
          "LTM_LANGUAGE", [](Config& c) -> auto& { return c.language; },
          "language of the memories, as english or en; empty: detected for each"),
      text(
          "MAAS_LOCAL_MODEL", [](Config& c) -> auto& { return c.local_model; },
          "directory of the embedding model; empty: model beside the program, if it is there; "
          "none: "
          "search by words alone"),
      integer<std::size_t>(
          "EMBEDDING_THREADS", [](Config& c) -> auto& { return c.embedding_threads; }, 1, 64,
          "threads of the local embedding model; default: the cores, at most 4"),
      integer<std::size_t>(
          "EMBEDDING_CACHE_MB", [](Config& c) -> auto& { return c.embedding_cache_mb; }, 0, 65'536,
          "memory for the embeddings of queries, in MiB; 0: none are kept"),
      text(
          "LLM_MODEL", [](Config& c) -> auto& { return c.llm_model; },
          "model that the agents use; its encoding counts the tokens"),
  };
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string shown_default(const Setting& setting) {
  static const Config kDefaults;
  // The machine's cores would make the table differ from machine to machine.
  if (setting.name == "MAAS_WORKERS" || setting.name == "EMBEDDING_THREADS") return "cores";
  return setting.show(kDefaults);
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

std::string settings_help() {
  std::string help = "Settings (environment variables, or lines of the env file):\n";
  for (const Setting& setting : settings()) {
    const std::string value = shown_default(setting);
    help += "  " + setting.name + "  [" + setting.range +
            (value.empty() ? "" : "; default " + value) + "]\n      " + setting.meaning + "\n";
  }
  return help;
}

std::string settings_markdown() {
  const auto cell = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, "\\");
    return text;
  };
  std::string table = "| name | default | range | meaning |\n|---|---|---|---|\n";
  for (const Setting& setting : settings()) {
    const std::string value = shown_default(setting);
    table += "| `" + setting.name + "` | " + (value.empty() ? "" : "`" + value + "`") + " | " +
             cell(setting.range) + " | " + cell(setting.meaning) + " |\n";
  }
  return table;
}

std::string effective_settings(const Config& config) {
  std::string lines;
  for (const Setting& setting : settings()) {
    const std::string value = setting.show(config);
    lines += setting.name + "=" + (setting.secret && !value.empty() ? "***" : value) + "\n";
  }
  return lines;
}

std::string nearest_setting(std::string_view name) {
  constexpr std::size_t kFarthest = 4;
  std::string nearest;
  std::size_t least = kFarthest + 1;
  for (const Setting& setting : settings()) {
    const std::size_t distance = edit_distance(name, setting.name);
    if (distance >= least) continue;
    least = distance;
    nearest = setting.name;
  }
  return nearest;
}

}  // namespace maas
