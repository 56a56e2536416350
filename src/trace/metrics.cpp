#include "trace/metrics.hpp"

namespace maas::trace {
namespace {

// The conventions' own.
const std::vector<double> kRequestSeconds{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                          0.5,   0.75, 1,     2.5,  5,     7.5, 10};
const std::vector<double> kModelSeconds{0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                        1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
const std::vector<double> kTokens{1,     4,     16,     64,      256,     1024,     4096,
                                  16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
const std::vector<double> kDatabaseSeconds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};

// Searches in this process take microseconds.
const std::vector<double> kSearchSeconds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                         0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                         0.5,     1,      2.5,     5};
const std::vector<double> kLagSeconds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3600};

std::vector<std::string_view> of_model(std::string_view last) {
  return {attribute::kOperationName, attribute::kProviderName, attribute::kRequestModel,
          attribute::kServerAddress, attribute::kServerPort,   last};
}

}  // namespace

Metrics::Metrics()
    : http_requests(all, {"http.server.request.duration",
                          "s",
                          "Time of a request",
                          {attribute::kHttpMethod, attribute::kUrlScheme, attribute::kHttpRoute,
                           attribute::kHttpStatus, attribute::kErrorType},
                          kRequestSeconds}),
      http_active(all, {"http.server.active_requests",
                        "{request}",
                        "Requests being answered",
                        {attribute::kHttpMethod, attribute::kUrlScheme}}),
      model_calls(all, {"gen_ai.client.operation.duration", "s",
                        "Time of a call of a model, attempts again included",
                        of_model(attribute::kErrorType), kModelSeconds}),
      model_tokens(all,
                   {"gen_ai.client.token.usage", "{token}", "Tokens that a provider has counted",
                    of_model(attribute::kTokenType), kTokens}),
      database_calls(all, {"db.client.operation.duration",
                           "s",
                           "Time of a call of a database",
                           {attribute::kDatabaseSystem, attribute::kDatabaseOperation,
                            attribute::kDatabaseCollection, attribute::kErrorType},
                           kDatabaseSeconds}),
      sessions_started(
          all, {"maas.stm.sessions.started", "{session}", "Sessions that got their first message"}),
      messages_appended(
          all, {"maas.stm.messages.appended", "{message}", "Messages appended to sessions"}),
      summaries(all, {"maas.stm.summaries",
                      "{summary}",
                      "Summaries made of sessions' oldest messages",
                      {attribute::kOutcome}}),
      memories_written(all, {"maas.ltm.memories.written",
                             "{memory}",
                             "What became of memories",
                             {attribute::kMemoryEvent, attribute::kMemoryCategory}}),
      searches(all, {"maas.ltm.search.duration",
                     "s",
                     "Time of the parts of a search",
                     {attribute::kArm},
                     kSearchSeconds}),
      visible_lag(all, {"maas.ltm.visible.lag",
                        "s",
                        "Time from a memory's arrival until it is found by its meaning",
                        {},
                        kLagSeconds}),
      expired(all, {"maas.expired.deleted",
                    "{item}",
                    "What was deleted because its time had ended",
                    {attribute::kKind}}),
      cache_lookups(all, {"maas.cache.lookups",
                          "{lookup}",
                          "Lookups in caches",
                          {attribute::kCache, attribute::kCacheResult}}),
      queue_depth(all, {"maas.queue.depth", "{item}", "What waits", {attribute::kQueue}}),
      upstream_retries(all, {"maas.upstream.retries",
                             "{attempt}",
                             "Attempts after the first of calls of providers",
                             {attribute::kOperationName, attribute::kProviderName}}),
      spans(all, {"maas.trace.spans",
                  "{span}",
                  "Spans that a collector has taken, or that were lost",
                  {attribute::kOutcome}}) {}

Metrics& metrics() {
  static Metrics instance;
  return instance;
}

}  // namespace maas::trace
