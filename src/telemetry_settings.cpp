#include "telemetry_settings.hpp"

#include "core/trimmed.hpp"
#include "http/url.hpp"
#include "setting_kinds.hpp"

#include <algorithm>
#include <cctype>

namespace maas {
namespace {

using trace::KeyValues;

constexpr std::string_view kServiceName = "service.name";

bool same_word(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

Setting lenient(Setting setting) {
  setting.lenient = true;
  return setting;
}

// Words in any case; the first that stands for a value is the one that is shown.
template <class T>
Setting word(std::string name, Field<T> field, std::vector<std::pair<std::string, T>> words,
             std::string meaning) {
  Setting setting = choice<T>(std::move(name), field, words, std::move(meaning));
  setting.set = [set = setting.set, words](Config& config, std::string_view text) {
    for (const auto& [known, value] : words) {
      if (same_word(text, known)) return set(config, known);
    }
    return set(config, text);
  };
  return lenient(std::move(setting));
}

// A list of words, each of which turns its switch on; those that are not said are off.
Setting switches(std::string name, std::vector<std::pair<std::string, Field<bool>>> words,
                 std::vector<std::string> without_effect, std::string meaning) {
  std::string range;
  for (const auto& [known, field] : words) range += known + " | ";
  for (const std::string& known : without_effect) range += known + " | ";
  range.resize(range.size() - 3);
  Setting setting;
  setting.name = std::move(name);
  setting.range = range + ", comma-separated";
  setting.meaning = std::move(meaning);
  setting.lenient = true;
  setting.set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
    std::vector<Field<bool>> on;
    for (const std::string& said : list_items(text)) {
      const auto known = std::ranges::find_if(
          words, [&](const auto& each) { return same_word(each.first, said); });
      if (known != words.end()) {
        on.push_back(known->second);
      } else if (std::ranges::none_of(without_effect,
                                      [&](const auto& each) { return same_word(each, said); })) {
        return "has '" + said + "', which is not one of " + range;
      }
    }
    for (const auto& [known, field] : words) field(config) = false;
    for (const Field<bool> field : on) field(config) = true;
    return std::nullopt;
  };
  setting.show = [=](const Config& config) {
    std::string shown;
    for (const auto& [known, field] : words) {
      if (read(field, config)) shown += (shown.empty() ? "" : ",") + known;
    }
    return shown.empty() ? "none" : shown;
  };
  return setting;
}

// name=value between commas, both percent-encoded; one that is malformed spoils all.
Setting key_values(std::string name, Field<KeyValues> field, std::string meaning) {
  return {.name = std::move(name),
          .range = "name=value, comma-separated",
          .meaning = std::move(meaning),
          .lenient = true,
          .set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
            KeyValues pairs;
            for (const std::string& item : list_items(text)) {
              const std::size_t equals = std::min(item.find('='), item.size());
              auto key = http::percent_decode(trimmed(item.substr(0, equals)));
              auto value =
                  http::percent_decode(trimmed(item.substr(std::min(equals + 1, item.size()))));
              if (equals == item.size() || !key || key->empty() || !value) {
                return "is not a list of name=value with percent-encoding";
              }
              pairs.emplace_back(*std::move(key), *std::move(value));
            }
            field(config) = std::move(pairs);
            return std::nullopt;
          },
          .show =
              [=](const Config& config) {
                std::string shown;
                for (const auto& [key, value] : read(field, config)) {
                  shown += (shown.empty() ? "" : ",") + http::percent_encode(key) + "=" +
                           http::percent_encode(value);
                }
                return shown;
              }};
}

Setting endpoint(std::string name, Field<std::string> field, std::string meaning) {
  Setting setting = lenient(url(free_text(std::move(name), field, std::move(meaning))));
  setting.set = [=](Config& config, std::string_view text) -> std::optional<std::string> {
    if (!text.starts_with("http://") && !text.starts_with("https://")) {
      return "is not a URL of http or https";
    }
    field(config) = text;
    return std::nullopt;
  };
  return setting;
}

trace::OtlpOptions& of_traces(Config& config) { return config.trace.exporting; }
trace::OtlpOptions& of_metrics(Config& config) { return config.metrics.exporting; }

// How the collector is reached for one signal; `name` is a part of the settings' names, "" for all
// signals, and `of` says what they are for.
template <trace::OtlpOptions& (*Of)(Config&)>
std::vector<Setting> exporter_settings(const std::string& name, const std::string& of) {
  using trace::Protocol;
  const std::string prefix = "OTEL_EXPORTER_OTLP_" + name;
  return {
      secret(key_values(
          prefix + "HEADERS", [](Config& c) -> auto& { return Of(c).headers; },
          "headers for the collector, such as its key" + of)),
      word(
          prefix + "PROTOCOL", +[](Config& c) -> Protocol& { return Of(c).protocol; },
          {{"http/protobuf", Protocol::protobuf}, {"http/json", Protocol::json}},
          "how the collector is spoken to" + of),
      lenient(milliseconds(
          prefix + "TIMEOUT", [](Config& c) -> auto& { return Of(c).timeout; },
          "time for one request to the collector" + of)),
      word(
          prefix + "COMPRESSION", +[](Config& c) -> bool& { return Of(c).gzip; },
          {{"none", false}, {"gzip", true}}, "how what is sent is compressed" + of),
      free_text(
          prefix + "CERTIFICATE", [](Config& c) -> auto& { return Of(c).ca_file; },
          "PEM file of certificate authorities to trust for the collector" + of),
      free_text(
          prefix + "CLIENT_KEY", [](Config& c) -> auto& { return Of(c).client_key_file; },
          "PEM file of the key that shows the collector who exports" + of),
      free_text(
          prefix + "CLIENT_CERTIFICATE",
          [](Config& c) -> auto& { return Of(c).client_certificate_file; },
          "PEM file of the certificate to it" + of),
  };
}

// A setting of two fields.
Setting both(Setting first, Setting second) {
  Setting setting = first;
  setting.set = [one = std::move(first.set), other = std::move(second.set)](
                    Config& config, std::string_view text) -> std::optional<std::string> {
    if (auto problem = one(config, text)) return problem;
    return other(config, text);
  };
  return setting;
}

// For all signals. Those for one stand behind and so win.
std::vector<Setting> shared_exporter_settings() {
  std::vector<Setting> settings = exporter_settings<of_traces>("", "");
  std::vector<Setting> others = exporter_settings<of_metrics>("", "");
  for (std::size_t i = 0; i < settings.size(); ++i) {
    settings[i] = both(std::move(settings[i]), std::move(others[i]));
  }
  return settings;
}

Setting most_bytes(std::string name, std::string meaning) {
  return lenient(integer<std::size_t>(
      std::move(name), [](Config& c) -> auto& { return c.trace.spans.max_value_bytes; }, 0,
      1'000'000'000, std::move(meaning)));
}

void append(std::vector<Setting>& settings, std::vector<Setting> more) {
  std::ranges::move(more, std::back_inserter(settings));
}

// Where a signal goes: its own endpoint as it is, else below the one of all.
std::string signal_url(const std::string& all, std::string_view path, std::string own) {
  if (own.empty()) {
    return all.empty() ? std::string() : http::without_final_slash(all) + std::string(path);
  }
  const std::size_t host = own.find("://") + 3;
  if (own.find('/', host) == std::string::npos) own += '/';
  return own;
}

}  // namespace

std::vector<Setting> telemetry_settings() {
  using trace::Sampler;
  std::vector<Setting> settings{
      endpoint(
          "OTEL_EXPORTER_OTLP_ENDPOINT", [](Config& c) -> auto& { return c.otlp_endpoint; },
          "collector of traces and metrics by OTLP over HTTP, to which v1/traces and v1/metrics "
          "are "
          "appended, such as http://localhost:4318; empty: nothing is traced"),
      endpoint(
          "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
          [](Config& c) -> auto& { return c.traces_endpoint; },
          "the same for traces alone, taken as it is"),
      endpoint(
          "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
          [](Config& c) -> auto& { return c.metrics_endpoint; },
          "the same for metrics alone, taken as it is")};
  append(settings, shared_exporter_settings());
  append(settings, exporter_settings<of_traces>("TRACES_", "; for traces alone"));
  append(settings, exporter_settings<of_metrics>("METRICS_", "; for metrics alone"));
  append(
      settings,
      {word(
           "OTEL_SDK_DISABLED", +[](Config& c) -> bool& { return c.trace.disabled; },
           {{"true", true}, {"false", false}},
           "trace nothing and send no metrics, whatever else is set"),
       lenient(free_text(
           "OTEL_SERVICE_NAME", [](Config& c) -> auto& { return c.service_name; },
           "name of this service in traces and metrics; empty: service.name of "
           "OTEL_RESOURCE_ATTRIBUTES, else "
           "my-maas")),
       key_values(
           "OTEL_RESOURCE_ATTRIBUTES", [](Config& c) -> auto& { return c.trace.resource; },
           "what traces and metrics tell of this service, such as "
           "deployment.environment.name=production"),
       switches("OTEL_TRACES_EXPORTER",
                {{"otlp", [](Config& c) -> auto& { return c.trace.exporting.otlp; }},
                 {"console", [](Config& c) -> auto& { return c.trace.exporting.console; }}},
                {"none"}, "where spans go; console: standard output"),
       switches("OTEL_METRICS_EXPORTER",
                {{"otlp", [](Config& c) -> auto& { return c.metrics.exporting.otlp; }}},
                {"prometheus", "none"}, "where metrics are sent; /metrics shows them in any case"),
       lenient(milliseconds(
           "OTEL_METRIC_EXPORT_INTERVAL", [](Config& c) -> auto& { return c.metrics.interval; },
           "time between two exports of metrics")),
       lenient(milliseconds(
           "OTEL_METRIC_EXPORT_TIMEOUT",
           [](Config& c) -> auto& { return c.metrics.export_timeout; },
           "time for one export of metrics, with what is tried again")),
       word(
           "OTEL_TRACES_SAMPLER", +[](Config& c) -> Sampler& { return c.trace.sampler; },
           {{"parentbased_always_on", Sampler::parent_based_always_on},
            {"parentbased_always_off", Sampler::parent_based_always_off},
            {"parentbased_traceidratio", Sampler::parent_based_trace_id_ratio},
            {"always_on", Sampler::always_on},
            {"always_off", Sampler::always_off},
            {"traceidratio", Sampler::trace_id_ratio}},
           "which requests are traced"),
       lenient(number(
           "OTEL_TRACES_SAMPLER_ARG", [](Config& c) -> auto& { return c.trace.sampled_share; }, 0,
           1, "share of requests that a traceidratio traces")),
       switches(
           "OTEL_PROPAGATORS",
           {{"tracecontext", [](Config& c) -> auto& { return c.trace.spans.propagate; }}},
           {"baggage", "none"},
           "whether callers' traces go on here, and at models' providers, by W3C trace context"),
       lenient(milliseconds(
           "OTEL_BSP_SCHEDULE_DELAY", [](Config& c) -> auto& { return c.trace.exporting.delay; },
           "time between two exports of spans")),
       lenient(milliseconds(
           "OTEL_BSP_EXPORT_TIMEOUT",
           [](Config& c) -> auto& { return c.trace.exporting.batch_timeout; },
           "time for one export, with what is tried again: no connection, 429, 502, 503, 504")),
       lenient(integer<std::size_t>(
           "OTEL_BSP_MAX_QUEUE_SIZE", [](Config& c) -> auto& { return c.trace.exporting.queue; }, 1,
           1'000'000, "spans that wait to be exported; more are dropped and counted")),
       lenient(integer<std::size_t>(
           "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
           [](Config& c) -> auto& { return c.trace.exporting.batch; }, 1, 1'000'000,
           "spans of one export")),
       lenient(integer<std::size_t>(
           "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
           [](Config& c) -> auto& { return c.trace.spans.max_attributes; }, 1, 10'000,
           "attributes of a span; more are left out")),
       most_bytes("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                  "bytes of an attribute's text; the rest is cut; 0: any number"),
       most_bytes("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "the same for spans, which wins"),
       word(
           "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
           +[](Config& c) -> bool& { return c.trace.spans.capture_content; },
           {{"NO_CONTENT", false}, {"SPAN_ONLY", true}, {"false", false}, {"true", true}},
           "whether traces hold what was said, remembered and searched for: never unless it is "
           "asked for here"),
       milliseconds(
           "MAAS_TRACE_STOP_TIMEOUT_MS",
           [](Config& c) -> auto& { return c.telemetry_stop_timeout; },
           "time for the spans that wait, and for the metrics, when the server stops"),
       yes_or_no(
           "MAAS_TRACE_CALLERS_AS_ROOT", [](Config& c) -> auto& { return c.trace.remote_is_root; },
           "show what callers with a traceparent asked for in Langfuse's list of traces, where "
           "their own spans are not")});
  return settings;
}

void complete_telemetry(Config& config) {
  trace::ExportOptions& exporting = config.trace.exporting;
  exporting.url = signal_url(config.otlp_endpoint, "/v1/traces", config.traces_endpoint);
  trace::MetricsOptions& metrics = config.metrics;
  metrics.exporting.url = signal_url(config.otlp_endpoint, "/v1/metrics", config.metrics_endpoint);
  metrics.disabled = config.trace.disabled;
  exporting.stop_timeout = config.telemetry_stop_timeout;
  if (metrics.is_on() && config.trace.is_on()) {
    metrics.stop_timeout = config.telemetry_stop_timeout / 4;
    exporting.stop_timeout -= metrics.stop_timeout;
  } else {
    metrics.stop_timeout = config.telemetry_stop_timeout;
  }
  KeyValues& resource = config.trace.resource;
  if (!config.service_name.empty()) {
    std::erase_if(resource, [](const auto& pair) { return pair.first == kServiceName; });
    resource.emplace_back(kServiceName, config.service_name);
  } else if (std::ranges::find(resource, kServiceName, &KeyValues::value_type::first) ==
             resource.end()) {
    resource.emplace_back(kServiceName, "my-maas");
  }
}

}  // namespace maas
