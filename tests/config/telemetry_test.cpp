#include "config.hpp"

#include <gtest/gtest.h>

namespace maas {
namespace {

using trace::KeyValues;

Config config_of(const Environment& environment) {
  const LoadedConfig loaded = load_config(environment);
  EXPECT_TRUE(loaded.warnings.empty());
  return loaded.config;
}

TEST(Telemetry, IsOffUntilSomewhereIsToldToSendItTo) {
  EXPECT_FALSE(config_of({}).trace.is_on());
  EXPECT_FALSE(config_of({{"OTEL_TRACES_EXPORTER", "otlp"}}).trace.is_on());
  EXPECT_TRUE(config_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"}}).trace.is_on());
  EXPECT_TRUE(config_of({{"OTEL_TRACES_EXPORTER", "console"}}).trace.is_on());
}

TEST(Telemetry, GoesToAPathOfItsOwnUnlessTheEndpointIsOfTracesAlone) {
  struct Case {
    std::string all;
    std::string traces;
    std::string url;
  };
  const Case cases[] = {
      {"http://a:4318", "", "http://a:4318/v1/traces"},
      {"http://a:4318/", "", "http://a:4318/v1/traces"},
      {"https://a/otlp", "", "https://a/otlp/v1/traces"},
      {"http://a", "http://b", "http://b/"},
      {"", "http://b/path", "http://b/path"},
  };
  for (const auto& [all, traces, url] : cases) {
    EXPECT_EQ(config_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", all},
                         {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces}})
                  .trace.exporting.url,
              url);
  }
}

TEST(Telemetry, PrefersWhatIsSaidOfTraces) {
  const Config config = config_of({{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"},
                                   {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                                   {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"},
                                   {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}});
  EXPECT_EQ(config.trace.exporting.headers, (KeyValues{{"b", "2"}}));
  EXPECT_EQ(config.trace.exporting.protocol, trace::Protocol::json);
}

TEST(Telemetry, TellsMetricsFromTraces) {
  const Config config = config_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"},
                                   {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://b"},
                                   {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                                   {"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "b=2"},
                                   {"OTEL_EXPORTER_OTLP_TIMEOUT", "77"},
                                   {"OTEL_TRACES_EXPORTER", "none"}});
  EXPECT_EQ(config.trace.exporting.url, "http://a/v1/traces");
  EXPECT_EQ(config.metrics.exporting.url, "http://b/");
  EXPECT_EQ(config.trace.exporting.headers, (KeyValues{{"a", "1"}}));
  EXPECT_EQ(config.metrics.exporting.headers, (KeyValues{{"b", "2"}}));
  EXPECT_EQ(config.metrics.exporting.timeout, config.trace.exporting.timeout);
  EXPECT_FALSE(config.trace.is_on());
  EXPECT_TRUE(config.metrics.is_on());
}

TEST(Telemetry, StopsWithinTheTimeForBoth) {
  const Environment both{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"},
                         {"MAAS_TRACE_STOP_TIMEOUT_MS", "1000"}};
  const Config config = config_of(both);
  EXPECT_EQ(config.trace.exporting.stop_timeout + config.metrics.stop_timeout,
            std::chrono::milliseconds(1000));
  Environment traces = both;
  traces.emplace_back("OTEL_METRICS_EXPORTER", "none");
  EXPECT_EQ(config_of(traces).trace.exporting.stop_timeout, std::chrono::milliseconds(1000));
}

TEST(Telemetry, PrefersTheLimitForSpans) {
  EXPECT_EQ(config_of({{"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "9"}}).trace.spans.max_value_bytes,
            9u);
  EXPECT_EQ(config_of({{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "7"},
                       {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "9"}})
                .trace.spans.max_value_bytes,
            7u);
}

TEST(Telemetry, DecodesNamesAndValues) {
  const Config config = config_of({{"OTEL_EXPORTER_OTLP_HEADERS", "a%20b = c%2Cd%3D , e=f=g"}});
  EXPECT_EQ(config.trace.exporting.headers, (KeyValues{{"a b", "c,d="}, {"e", "f=g"}}));
}

TEST(Telemetry, NamesTheService) {
  const auto name_of = [](const Environment& environment) {
    std::string name;
    for (const auto& [key, value] : config_of(environment).trace.resource) {
      if (key == "service.name") name += value;
    }
    return name;
  };
  EXPECT_EQ(name_of({}), "my-maas");
  EXPECT_EQ(name_of({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a"}}), "a");
  EXPECT_EQ(name_of({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a"}, {"OTEL_SERVICE_NAME", "b"}}),
            "b");
}

TEST(Telemetry, ReadsWordsInAnyCase) {
  const Config config =
      config_of({{"OTEL_SDK_DISABLED", "True"},
                 {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "span_only"},
                 {"OTEL_PROPAGATORS", "Baggage"}});
  EXPECT_TRUE(config.trace.disabled);
  EXPECT_TRUE(config.trace.spans.capture_content);
  EXPECT_FALSE(config.trace.spans.propagate);
}

TEST(Telemetry, WarnsOfAValueThatIsNotUnderstoodAndIgnoresIt) {
  const Environment cases{
      {"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"},
      {"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"},
      {"OTEL_EXPORTER_OTLP_TIMEOUT", "-1"},
      {"OTEL_EXPORTER_OTLP_HEADERS", "key"},
      {"OTEL_RESOURCE_ATTRIBUTES", "a=1,b=%zz"},
      {"OTEL_RESOURCE_ATTRIBUTES", "=1"},
      {"OTEL_TRACES_EXPORTER", "otlp,zipkin"},
      {"OTEL_METRICS_EXPORTER", "statsd"},
      {"OTEL_METRIC_EXPORT_INTERVAL", "soon"},
      {"OTEL_TRACES_SAMPLER", "xray"},
      {"OTEL_TRACES_SAMPLER_ARG", "1.5"},
      {"OTEL_SDK_DISABLED", "1"},
      {"OTEL_BSP_MAX_QUEUE_SIZE", "0"},
      {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "EVENT_ONLY"},
  };
  const Config defaults = config_of({});
  for (const auto& [name, value] : cases) {
    const LoadedConfig loaded = load_config({{name, value}});
    ASSERT_EQ(loaded.warnings.size(), 1u) << name;
    EXPECT_TRUE(loaded.warnings[0].starts_with(name + " '")) << loaded.warnings[0];
    EXPECT_EQ(loaded.config.trace.exporting.url, defaults.trace.exporting.url);
    EXPECT_EQ(loaded.config.trace.exporting.headers, defaults.trace.exporting.headers);
    EXPECT_EQ(loaded.config.trace.resource, defaults.trace.resource);
    EXPECT_EQ(loaded.config.trace.exporting.otlp, defaults.trace.exporting.otlp);
    EXPECT_EQ(loaded.config.trace.sampler, defaults.trace.sampler);
    EXPECT_EQ(loaded.config.trace.sampled_share, defaults.trace.sampled_share);
    EXPECT_EQ(loaded.config.trace.disabled, defaults.trace.disabled);
    EXPECT_EQ(loaded.config.trace.spans.capture_content, defaults.trace.spans.capture_content);
  }
}

}  // namespace
}  // namespace maas
